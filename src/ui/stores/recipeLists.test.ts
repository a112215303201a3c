import { expect, test } from "vitest";
import type { Recipe, Setting } from "../../engine/contract/index.ts";
import { hasLevels } from "./recipeLists.ts";

const PLAIN: Recipe = { method: "slerp", models: [], parameters: {} };

test.each<readonly [string, Setting, boolean]>([
  ["a number", 0.5, false],
  ["patterns", ["lm_head"], false],
  ["a gradient", [0, 1], true],
  ["filters", [{ filter: "mlp", value: 1 }, { value: 0 }], true],
])("%s: depends on layer or tensor, wherever it stands", (_, setting, expected) => {
  const model = { model: "a", parameters: { t: setting } };
  const slice = { sources: [{ ...model, layers: [0, 2] as const }], parameters: {} };
  const part = { models: [model], parameters: {} };
  expect(hasLevels({ ...PLAIN, parameters: { t: setting } })).toBe(expected);
  expect(hasLevels({ ...PLAIN, models: [model] })).toBe(expected);
  expect(hasLevels({ ...PLAIN, slices: [slice] })).toBe(expected);
  expect(hasLevels({ ...PLAIN, modules: [{ ...part, name: "encoder" }] })).toBe(expected);
});
