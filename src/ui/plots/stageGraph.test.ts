import { expect, test } from "vitest";
import type { Recipe } from "../../engine/contract/index.ts";
import { stageLinks, stageNodes } from "./stageGraph.ts";

const linear = (...models: readonly string[]): Recipe => ({
  method: "linear",
  models: models.map((model) => ({ model, parameters: {} })),
  parameters: {},
});

test("each merge names the results that it reads, also under an adapter", () => {
  const stages = [
    { name: "first", recipe: linear("a", "b") },
    { name: "second", recipe: linear("first", "c") },
    { name: "third", recipe: { ...linear("d"), base: "first" } },
  ];
  const recipe: Recipe = { ...linear("second", "third+lora"), method: "ties", stages };
  expect(stageNodes(recipe)).toEqual([
    { name: "first", method: "linear", models: ["a", "b"], feeds: [] },
    { name: "second", method: "linear", models: ["c"], feeds: [0] },
    { name: "third", method: "linear", models: ["d"], feeds: [0] },
    { name: null, method: "ties", models: [], feeds: [1, 2] },
  ]);
  expect(stageNodes(linear("a", "b"))).toEqual([]);
});

test("links that overlap have lanes of their own, and one behind the other share one", () => {
  const node = (feeds: readonly number[]) => ({ name: "x", method: "ties", models: [], feeds });
  expect(stageLinks([node([]), node([0]), node([1]), node([0, 2])])).toEqual([
    { from: 0, to: 1, lane: 0 },
    { from: 1, to: 2, lane: 0 },
    { from: 2, to: 3, lane: 0 },
    { from: 0, to: 3, lane: 1 },
  ]);
});
