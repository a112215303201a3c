import { expect, test } from "vitest";
import { EngineError, type Recipe } from "../../contract/index.ts";
import { formatRecipe } from "./formatRecipe.ts";
import { extraAction } from "./ownKeys.ts";
import { parseRecipe } from "./parseRecipe.ts";

const START = "merge_method: linear\nmodels:\n- model: a\n";
const read = (more: string) => parseRecipe(START + more).recipe;
const actions = (recipe: Recipe, ...names: string[]) =>
  names.map((name) => extraAction(recipe, name));

test("one word holds for every tensor that only some have", () => {
  const recipe = read("extra_tensors: leave_out\n");
  expect(actions(recipe, "mtp.fc.weight", "v_head.weight")).toEqual(["leave_out", "leave_out"]);
  expect(extraAction(read(""), "mtp.fc.weight")).toBeNull();
});

test("the first filter that matches holds: a part of the name, or with * the whole of it", () => {
  const recipe = read(`extra_tensors:
  - {filter: "mtp.*", value: leave_out}
  - {filter: v_head, value: refuse}
  - {filter: "*.experts.*.weight", value: copy}
`);
  expect(actions(recipe, "mtp.fc.weight", "model.mtp.fc.weight")).toEqual(["leave_out", null]);
  expect(actions(recipe, "v_head.summary.weight", "model.v_head")).toEqual(["refuse", "refuse"]);
  expect(actions(recipe, "a.experts.3.up.weight", "a.experts.3.up.bias")).toEqual(["copy", null]);
});

test("filters with overlapping ends do not match a name that is too short", () => {
  const recipe = read('extra_tensors: [{filter: "ab*ba", value: copy}]');
  expect(actions(recipe, "aba", "abba", "ab.ba")).toEqual([null, "copy", "copy"]);
});

test("a consent is true or false", () => {
  expect(read("allow_architecture_mismatch: true").allowArchitectureMismatch).toBe(true);
  expect(read("allow_architecture_mismatch: false")).toEqual(read(""));
  expect(read("fill_nan_rows: true").fillNanRows).toBe(true);
});

test("all are written as they are read", () => {
  const recipe = read(
    'allow_architecture_mismatch: true\nfill_nan_rows: true\nextra_tensors: [{filter: "mtp.*", value: leave_out}, {value: copy}]',
  );
  expect(parseRecipe(formatRecipe(recipe)).recipe).toEqual(recipe);
});

test.each([
  ["extra_tensors: drop", '"drop" is none'],
  ["extra_tensors: [{filter: mtp, value: 1}]", '"1" is none'],
  ["allow_architecture_mismatch: 3", "must be true or false"],
])("%s is refused", (more, words) => {
  expect(() => read(more)).toThrow(EngineError);
  expect(() => read(more)).toThrow(words);
});
