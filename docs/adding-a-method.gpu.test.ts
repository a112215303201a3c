import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ScratchCopy } from "./followPage.ts";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

test("a method is the files that its page names, and obeys the laws of all methods", () => {
  using copy = new ScratchCopy();
  const blocks = copy.follow("adding-a-method.md");
  const outside = /^(src\/engine\/merge\/methods|shaders\/(merge|reduce))\/[a-z_]+\.(ts|wgsl)$/;
  expect(blocks.filter(({ path }) => !outside.test(path))).toEqual([]);
  expect(copy.run("typescript/bin/tsc", "-p", "tsconfig.engine.json")).toBe("");

  const suite = ["src/engine/merge/methods.gpu.test.ts", "-t", "^(metagpt|magmax) "];
  const report = ["--reporter", "json", "--outputFile", "report.json"];
  expect(copy.run("vitest/vitest.mjs", "run", "--project", "gpu", ...suite, ...report)).toBe("");
  const text = readFileSync(join(copy.folder, "report.json"), "utf8");
  const { numPassedTests, numFailedTests } = JSON.parse(text) as Report;
  // Seven laws of each, and of MetaGPT row by row the five that go by how it is asked.
  expect({ numPassedTests, numFailedTests }).toEqual({ numPassedTests: 19, numFailedTests: 0 });
}, 180_000);
