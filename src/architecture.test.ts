import { expect, test } from "vitest";

/**
 * The shape of the product, lowest first. A file may import its own folder and any folder on a line
 * above its own. Folders on one line are siblings and may not import each other; `x/*` makes every
 * folder inside x a sibling.
 */
const LAYERS = [
  ["engine/contract"],
  ["engine/core"],
  ["engine/gpu", "engine/storage"],
  ["engine/checkpoint"],
  ["engine/text", "engine/inspect"],
  ["engine/runtime", "engine/merge"],
  ["engine/fuse", "engine/evaluate", "engine/spectrum", "engine/mixture"],
  ["engine/train"],
  ["engine/pipeline", "engine/transplant", "engine/extract"],
  ["engine/modelJobs.ts"],
  ["engine/create.ts"],
  ["bridge", "node"],
  ["cli"],
  ["ui/theme"],
  ["ui/parts", "ui/plots"],
  ["ui/stores"],
  ["ui/screens/*"],
  ["ui/app"],
];
/** Outside the layers: the entry points, declarations that are not code, and this test. */
const OUTSIDE = /^\/src\/(main\.tsx|(worker|thread)\.ts|architecture\.test\.ts|[\w-]+\.d\.ts)$/;

const CONTRACT = 0;
const lineOf = (name: string) => LAYERS.findIndex((folders) => folders.includes(name));
const CREATE = lineOf("engine/create.ts");
const BRIDGE = lineOf("bridge");
const FIRST_UI = lineOf("ui/theme");
/** The terminal stands over the whole engine; everything else outside sees only the contract. */
const OVER_THE_ENGINE = /^\/src\/(node|cli)\//;
const UI_LIBRARY = /^(react|react-dom|zustand|@mantine\/.*)(\/|$)/;
const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\b[^"'`;]*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;

/** Where a file stands: its line in LAYERS, and which folder of that line it lives in. */
function place(path: string): { readonly line: number; readonly folder: string } | undefined {
  for (const [line, folders] of LAYERS.entries()) {
    for (const folder of folders) {
      const pattern = new RegExp(
        `^/src/${folder.replace("*", "[^/]+").replace(".", "\\.")}(?=/|$)`,
      );
      const found = pattern.exec(path);
      if (found) return { line, folder: found[0] };
    }
  }
  return undefined;
}

function complaints(files: Record<string, string>): string[] {
  return Object.entries(files).flatMap(([file, source]) => {
    if (OUTSIDE.test(file)) return [];
    const from = place(file);
    if (!from) return [`${file} is in no layer`];
    return [...source.matchAll(SPECIFIER)].flatMap(([, stated, dynamic]) => {
      const target = (stated ?? dynamic) as string;
      if (!target.startsWith(".")) {
        return UI_LIBRARY.test(target) && from.line < FIRST_UI ? [`${file} → ${target}`] : [];
      }
      const path = new URL(target, `file://${file}`).pathname;
      const to = place(path);
      const down = to && (to.line < from.line || to.folder === from.folder);
      const pastTheContract =
        to &&
        from.line >= BRIDGE &&
        !OVER_THE_ENGINE.test(file) &&
        to.line <= CREATE &&
        to.line !== CONTRACT;
      const outOfTheUi = to && from.line >= FIRST_UI && to.line < FIRST_UI && to.line > CREATE;
      const connects = file.startsWith("/src/ui/app/") && to?.folder === "/src/bridge";
      return down && !pastTheContract && (!outOfTheUi || connects) ? [] : [`${file} → ${target}`];
    });
  });
}

/** The files that a file imports by a relative path, of types or of values, now or lazily. */
function importsOf(file: string, source: string): readonly string[] {
  return [...source.matchAll(SPECIFIER)]
    .map(([, stated, dynamic]) => (stated ?? dynamic) as string)
    .filter((target) => target.startsWith("."))
    .map((target) => new URL(target, `file://${file}`).pathname);
}

/** Every circle of imports as its files in order; types count, for they tie a design as values do. */
function circles(files: Record<string, string>): readonly string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(" → "));
    const source = files[file];
    if (start >= 0 || finished.has(file) || source === undefined) return;
    for (const target of importsOf(file, source)) visit(target, [...path, file]);
    finished.add(file);
  };
  for (const file of Object.keys(files)) visit(file, []);
  return found;
}

const sources = import.meta.glob<string>("/src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

test("every import points down", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(20); // an empty glob must not pass
  expect(complaints(sources)).toEqual([]);
});

test("no imports go in a circle", () => {
  expect(circles(sources)).toEqual([]);
});

test("a circle of three files is found, of types too", () => {
  const files = {
    "/src/engine/gpu/a.ts": `import { b } from "./b.ts";`,
    "/src/engine/gpu/b.ts": `import type { C } from "./c.ts";`,
    "/src/engine/gpu/c.ts": `export type { A } from "./a.ts";`,
  };
  expect(circles(files)).toEqual([
    "/src/engine/gpu/a.ts → /src/engine/gpu/b.ts → /src/engine/gpu/c.ts → /src/engine/gpu/a.ts",
  ]);
  expect(circles({ ...files, "/src/engine/gpu/c.ts": "export type C = 1;" })).toEqual([]);
});

test.each([
  [
    "an upward import, even of a type",
    "/src/engine/gpu/a.ts",
    `import type { R } from "../merge/recipe.ts";`,
  ],
  ["a sideways import", "/src/engine/gpu/a.ts", `import { open } from "../storage/http.ts";`],
  [
    "one screen importing another",
    "/src/ui/screens/merge/A.tsx",
    `import { B } from "../inspect/B.tsx";`,
  ],
  ["a re-export", "/src/engine/core/a.ts", `export * from "../checkpoint/model.ts";`],
  ["React in the engine", "/src/engine/merge/a.ts", `import { useState } from "react";`],
  [
    "a way round the contract",
    "/src/ui/stores/a.ts",
    `import { methods } from "../../engine/merge/registry.ts";`,
  ],
  [
    "a screen that talks to the bridge",
    "/src/ui/screens/merge/a.ts",
    `import { connect } from "../../../bridge/bridge.ts";`,
  ],
  ["a lazy import", "/src/ui/plots/a.ts", `const s = () => import("../stores/recipe.ts");`],
  ["a side-effect import", "/src/engine/core/a.ts", `import "../checkpoint/register.ts";`],
  ["a folder nobody placed", "/src/helpers/a.ts", ``],
])("catches %s", (_, file, source) => {
  expect(complaints({ [file]: source })).toHaveLength(1);
});

test.each([
  [
    "a downward import",
    "/src/engine/merge/methods/a.ts",
    `import { Kernel } from "../../gpu/kernel.ts";`,
  ],
  [
    "the terminal over the engine",
    "/src/cli/a.ts",
    `import { planMerge } from "../engine/merge/plan.ts";`,
  ],
  [
    "the app that connects",
    "/src/ui/app/a.ts",
    `import { connect } from "../../bridge/bridge.ts";`,
  ],
])("allows %s", (_, file, source) => {
  expect(complaints({ [file]: source })).toEqual([]);
});
