import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ScratchCopy } from "./followPage.ts";

test("a kernel is the files that its page names, and its test sees a wrong shader", () => {
  using copy = new ScratchCopy();
  const paths = copy.follow("adding-a-kernel.md").map(({ path }) => path);
  expect(paths).toEqual([
    "shaders/nn/clamp.wgsl",
    "src/engine/runtime/kernels/clamp.ts",
    "src/node/shaders.test.ts",
    "src/engine/runtime/kernels/clamp.gpu.test.ts",
  ]);
  expect(copy.run("typescript/bin/tsc", "-p", "tsconfig.engine.json")).toBe("");
  const vitest = (project: string, file: string) =>
    copy.run("vitest/vitest.mjs", "run", "--project", project, file);
  expect(vitest("unit", "src/node/shaders.test.ts")).toBe("");
  const suite = "src/engine/runtime/kernels/clamp.gpu.test.ts";
  expect(vitest("gpu", suite)).toBe("");

  const shader = readFileSync(join(copy.folder, "shaders/nn/clamp.wgsl"), "utf8");
  copy.write("shaders/nn/clamp.wgsl", shader.replace("-shape.limit, shape", "0.0, shape"));
  expect(vitest("gpu", suite)).toContain("1 failed");
}, 180_000);
