import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type PageBlock, readBlocks, ScratchCopy } from "./followPage.ts";

const ROOT = join(import.meta.dirname, "..");
const PAGE = "../CONTRIBUTING.md";
const page = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");

/** What a command prints after one of the page's breakages was put into a copy. */
function breakWith(path: string, program: string, ...args: readonly string[]): string {
  using copy = new ScratchCopy();
  copy.put(readBlocks(PAGE).find((block) => block.path === path) as PageBlock);
  return copy.run(program, ...args);
}

test("every command and every file that the first hour names is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const commands = [...page.matchAll(/`npm run ([\w:]+)`/g)].map(([, name]) => name as string);
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.filter((name) => !(name in scripts))).toEqual([]);
  const paths = [...page.matchAll(/`((?:src|shaders|docs)\/[\w./-]+\.\w+)`|\]\(([\w./-]+)\)/g)]
    .map(([, code, link]) => (code ?? link) as string)
    .filter((path) => !path.startsWith("http"));
  expect(paths.length).toBeGreaterThan(8);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("React in the GPU's folder is named by the layers", () => {
  const said = breakWith(
    "src/engine/gpu/pool.ts",
    "vitest/vitest.mjs",
    "run",
    "--project=unit",
    "src/architecture.test.ts",
  );
  expect(said).toContain("/src/engine/gpu/pool.ts → react");
});

test("a sign in a rule is named by the methods' suite", () => {
  const said = breakWith(
    "shaders/merge/weighted_sum.wgsl",
    "vitest/vitest.mjs",
    "run",
    "--project=gpu",
    "src/engine/merge/methods.gpu.test.ts",
    "--testNamePattern=linear",
  );
  expect(said).toMatch(/FAIL .*linear/);
});

test("a spread literal is named by the linter", () => {
  const path = "src/engine/core/breakage.ts";
  const said = breakWith(path, "@biomejs/biome/bin/biome", "lint", path);
  expect(said).toContain("write its members out");
});
