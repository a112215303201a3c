import { expect, test } from "vitest";
import { ScratchCopy } from "./followPage.ts";

test("an architecture is the one file that its page names, and a test of it", () => {
  using copy = new ScratchCopy();
  const paths = copy.follow("adding-an-architecture.md").map(({ path }) => path);
  expect(paths).toEqual([
    "src/engine/runtime/architectures/smollm3.ts",
    "src/engine/runtime/description/smollm3.test.ts",
  ]);
  expect(copy.run("typescript/bin/tsc", "-p", "tsconfig.engine.json")).toBe("");
  const runs = ["vitest/vitest.mjs", "run", "--project", "unit", "src/engine/runtime/description"];
  expect(copy.run(runs[0] as string, ...runs.slice(1))).toBe("");
});
