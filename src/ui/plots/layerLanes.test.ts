import { expect, test } from "vitest";
import { modelKeys, type Recipe, type RecipeSlice } from "../../engine/contract/index.ts";
import { describeBar, layerPictures } from "./layerLanes.ts";

type Source = readonly [model: string, first: number, end: number];

const slice = (...sources: readonly Source[]): RecipeSlice => ({
  sources: sources.map(([model, first, end]) => ({ model, layers: [first, end], parameters: {} })),
  parameters: {},
});
const recipeOf = (...slices: readonly RecipeSlice[]): Recipe => ({
  method: "passthrough",
  models: [],
  slices,
  parameters: {},
});

function pictures(recipe: Recipe) {
  const keys = modelKeys(recipe);
  const colours = keys.map((_, i) => `var(--m${i + 1})`);
  return layerPictures(recipe, keys, { names: keys, colours, base: null, baseColour: "" });
}

test("slices lie one behind the other, a lane a model, and repeats are told", () => {
  const [picture] = pictures(recipeOf(slice(["a", 0, 8]), slice(["b", 4, 12]), slice(["a", 6, 7])));
  expect(picture?.layers).toBe(17);
  const bars = picture?.lanes.map(({ name, cells }) => [
    name,
    ...cells.map(({ column, span, range, place }) => [column, span, range, place]),
  ]);
  expect(bars).toEqual([
    ["a", [0, 8, "0–7", "0–7"], [16, 1, "6", "16"]],
    ["b", [8, 8, "4–11", "8–15"]],
  ]);
  expect(picture?.sentence).toBe(
    "17 layers: 9 of a and 8 of b. 1 layer of a model is used more than once.",
  );
});

test("what is merged stands side by side, the same model twice in two lanes", () => {
  const [picture] = pictures(recipeOf(slice(["a", 0, 4], ["a", 2, 6]), slice(["b", 4, 6])));
  expect(picture?.lanes.map(({ key }) => key)).toEqual(["a", "a#2", "b"]);
  expect(picture?.lanes.map(({ cells }) => cells[0]?.column)).toEqual([0, 0, 4]);
  const lane = picture!.lanes[0]!;
  expect(describeBar(lane, lane.cells[0]!)).toBe("layers 0–3: 0–3 of a, merged with a#2");
  expect(picture?.sentence).toBe("6 layers from a, a#2 and b, 4 of them merged.");
});

test("many models and long names are counted, not named", () => {
  const [many] = pictures(recipeOf(...["a", "b", "c", "d", "e"].map((m) => slice([m, 0, 2]))));
  expect(many?.sentence).toBe("10 layers from 5 models.");
  const [long] = pictures(recipeOf(slice(["x".repeat(61), 0, 2]), slice(["y", 0, 1])));
  expect(long?.sentence).toBe("3 layers from 2 models.");
});

test("modules have a picture each, and whole models none", () => {
  const model = (name: string) => ({ model: name, parameters: {} });
  const part = { models: [], parameters: {} };
  const recipe: Recipe = {
    method: "linear",
    ...part,
    modules: [
      { name: "text_decoder", ...part, slices: [slice(["a", 0, 4])] },
      { name: "vision_tower", ...part, models: [model("a"), model("b")] },
    ],
  };
  const [text, vision] = pictures(recipe);
  expect([text?.module, text?.layers]).toEqual(["text_decoder", 4]);
  expect([vision?.module, vision?.layers]).toEqual(["vision_tower", null]);
  expect(vision?.sentence).toBe("All layers, merged from a and b.");
  const lane = vision!.lanes[1]!;
  expect(describeBar(lane, lane.cells[0]!)).toBe("all layers of b, merged with a");
  expect(pictures({ method: "linear", ...part, models: [model("a")] })).toEqual([]);
});
