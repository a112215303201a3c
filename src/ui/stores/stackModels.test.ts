import { expect, test } from "vitest";
import { fakeModel } from "./fakeEngine.ts";
import { stackRecipe } from "./stackModels.ts";

test.each([
  [6, 6, [0, 4], [2, 6]],
  [32, 40, [0, 22], [13, 40]],
  [1, 1, [0, 1], [0, 1]],
])("models of %i and %i layers overlap by a third", (lower, upper, below, above) => {
  const recipe = stackRecipe(fakeModel("a", { layers: lower }), fakeModel("b", { layers: upper }));
  const sources = recipe.slices?.flatMap((slice) => slice.sources);
  expect(sources?.map(({ model, layers }) => [model, layers])).toEqual([
    ["a", below],
    ["b", above],
  ]);
  expect(recipe.method).toBe("passthrough");
});
