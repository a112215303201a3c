import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

test("every file and folder that the map names is there", () => {
  const page = readFileSync(join(ROOT, "docs", "architecture.md"), "utf8");
  const named = [...page.matchAll(/`((?:[\w-]+\/)+(?:[\w-]+\.(?:ts|md|wgsl))?)`/g)];
  const paths = named.map(([, path]) => path as string);
  expect(paths.length).toBeGreaterThan(20);
  const homes = ["", "src", "src/engine", "shaders"];
  const missing = paths.filter(
    (path) =>
      path.includes("/") &&
      path.endsWith(".ts") &&
      !homes.some((home) => existsSync(join(ROOT, home, path))),
  );
  expect(missing).toEqual([]);
});
