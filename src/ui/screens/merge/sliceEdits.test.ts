import { expect, test } from "vitest";
import type { Recipe, RecipeSlice } from "../../../engine/contract/index.ts";
import {
  addSlice,
  addSource,
  changeSlice,
  changeSource,
  editSlices,
  moveSlice,
  removeSource,
  withEnd,
} from "./sliceEdits.ts";

const sliceOf = (...sources: readonly (readonly [string, number, number])[]): RecipeSlice => ({
  sources: sources.map(([model, first, end]) => ({ model, layers: [first, end], parameters: {} })),
  parameters: {},
});
const TWO = [sliceOf(["a", 0, 4], ["b", 2, 6]), sliceOf(["b", 4, 6])];
const RECIPE: Recipe = { method: "slerp", models: [], slices: TWO, parameters: {} };

test("an end is kept within the model, and the other end gives way", () => {
  expect(withEnd([2, 6], "first", 9, 8)).toEqual([7, 8]);
  expect(withEnd([2, 6], "first", -1, 8)).toEqual([0, 6]);
  expect(withEnd([2, 6], "last", 7, 8)).toEqual([2, 8]);
  expect(withEnd([2, 6], "last", 0, null)).toEqual([0, 1]);
  expect(withEnd([2, 6], "last", 99, null)).toEqual([2, 100]);
});

test("sources of a slice always give as many layers", () => {
  const changed = changeSource(TWO[0]!, 0, { layers: [1, 3] });
  expect(changed).toEqual(sliceOf(["a", 1, 3], ["b", 2, 4]));
  expect(changeSource(TWO[0]!, 1, { model: "c" })).toEqual(sliceOf(["a", 0, 4], ["c", 2, 6]));
  expect(addSource(TWO[1]!, "c")).toEqual(sliceOf(["b", 4, 6], ["c", 4, 6]));
  expect(removeSource(TWO[0]!, 0)).toEqual(sliceOf(["b", 2, 6]));
});

test("slices are added, moved and changed, and the others stay the same objects", () => {
  expect(addSlice(TWO, "c", [0, 6])).toEqual([...TWO, sliceOf(["c", 0, 6])]);
  expect(moveSlice(TWO, 0, 1)).toEqual([TWO[1], TWO[0]]);
  const changed = changeSlice(TWO, 1, (slice) => addSource(slice, "c"));
  expect(changed[0]).toBe(TWO[0]);
  expect(changed[1]!.sources).toHaveLength(2);
});

test("a module's slices are changed, not those of another", () => {
  const inputs = { models: [], slices: TWO, parameters: {} };
  const modules = ["encoder", "decoder"].map((name) => ({ ...inputs, name }));
  const { slices: _, ...rest } = RECIPE;
  const changed = editSlices({ ...rest, modules }, 1, (slices) => slices.slice(1));
  expect(changed.modules?.map(({ slices }) => slices?.length)).toEqual([2, 1]);
  expect(editSlices(RECIPE, 0, (slices) => slices.slice(1)).slices).toEqual([TWO[1]]);
});
