import { expect, test } from "vitest";
import type { Recipe } from "../../../engine/contract/index.ts";
import {
  chooseBase,
  dropBase,
  removeModel,
  withExtra,
  withOutput,
  withSetting,
  withVocabulary,
} from "./edits.ts";

const RECIPE: Recipe = {
  method: "varm",
  base: "base",
  models: [
    { model: "a", parameters: {} },
    { model: "b", parameters: {} },
  ],
  parameters: {},
};
const names = (recipe: Recipe) => recipe.models.map(({ model }) => model);

test("a new base changes places with the old one", () => {
  const changed = chooseBase(RECIPE, 1);
  expect(changed.base).toBe("b");
  expect(names(changed)).toEqual(["a", "base"]);
});

test("a first base leaves the models", () => {
  const { base: _, ...without } = RECIPE;
  expect(names(chooseBase(without, 0))).toEqual(["b"]);
});

test("a base that is dropped becomes a model", () => {
  const changed = dropBase(RECIPE, undefined);
  expect("base" in changed).toBe(false);
  expect(names(changed)).toEqual(["a", "b", "base"]);
});

test("removing a model leaves its twin", () => {
  const twins = { ...RECIPE, models: [...RECIPE.models, { model: "a", parameters: {} }] };
  expect(names(removeModel(twins, 0))).toEqual(["b", "a"]);
});

test("a setting without a value is gone, not undefined", () => {
  expect("x" in withSetting({ x: 1 }, "x", undefined)).toBe(false);
});

test("choosing an output replaces both dtypes, and going back removes them", () => {
  const recipe = { method: "linear", models: [], parameters: {}, dtype: "float16" } as const;
  expect(withOutput(recipe, "bfloat16")).toEqual({
    method: "linear",
    models: [],
    parameters: {},
    outDtype: "bfloat16",
  });
  expect(withOutput(recipe, undefined)).not.toHaveProperty("dtype");
});

test("what becomes of a pattern stands before wider ones, and is gone when it is taken back", () => {
  const wide = { ...RECIPE, extraTensors: [{ value: "copy" }] } as const;
  const left = withExtra(wide, "mtp.*", "leave_out");
  expect(left.extraTensors).toEqual([{ filter: "mtp.*", value: "leave_out" }, { value: "copy" }]);
  expect(withExtra(left, "mtp.*", "refuse").extraTensors).toHaveLength(2);
  expect(withExtra(left, "mtp.*", null)).toEqual(wide);
  expect(withExtra(withExtra(RECIPE, "mtp.*", "copy"), "mtp.*", null)).toEqual(RECIPE);
});

test("another vocabulary keeps padding, and none takes the chat template along", () => {
  const stated: Recipe = {
    ...RECIPE,
    tokenizer: { source: "base", padToMultipleOf: 64 },
    chatTemplate: "auto",
  };
  const united = withVocabulary(stated, "union");
  expect(united.tokenizer).toEqual({ source: "union", padToMultipleOf: 64 });
  expect(united.chatTemplate).toBe("auto");
  expect(withVocabulary(united, undefined)).toEqual(RECIPE);
});
