import type { ModelCard, Recipe } from "../../engine/contract/index.ts";
import { namedModels } from "../../engine/contract/index.ts";
import { attempt, loadSamples, refreshLibrary } from "./actions.ts";
import { findCompatible, isModel } from "./compatible.ts";
import { offerRecipe } from "./recipeFile.ts";
import type { Studio } from "./studio.ts";

/**
 * A frankenmerge of two models: the first two thirds of one model's layers, then the last two thirds
 * of the other's, as published ones overlap.
 */
export function stackRecipe(lower: ModelCard, upper: ModelCard): Recipe {
  const [below, above] = [lower.layers ?? 1, upper.layers ?? 1];
  const slice = (model: string, first: number, end: number) => ({
    sources: [{ model, layers: [first, end] as const, parameters: {} }],
    parameters: {},
  });
  return {
    method: "passthrough",
    models: [],
    slices: [
      slice(lower.name, 0, Math.ceil((2 * below) / 3)),
      slice(upper.name, Math.floor(above / 3), above),
    ],
    parameters: {},
  };
}

/** Two models to stack: of those that are selected, in the recipe, or in the library; else samples. */
async function chooseModels(studio: Studio): Promise<readonly ModelCard[]> {
  await refreshLibrary(studio);
  const models = (studio.library.getState().models ?? [])
    .filter((model) => isModel(model) && model.layers !== null && !model.pair)
    .sort((a, b) => a.createdAt - b.createdAt);
  const { selected } = studio.desk.getState();
  const { recipe } = studio.recipe.getState();
  const named = namedModels(recipe).filter((name) => name !== recipe.base);
  const groups = [
    models.filter(({ id }) => selected.includes(id)),
    named.flatMap((name) => models.find((model) => model.name === name) ?? []),
    findCompatible(models),
  ];
  const found = groups.find(({ length }) => length >= 2);
  if (found) return found;
  const samples = (await loadSamples(studio)).toSorted((a, b) => a.createdAt - b.createdAt);
  return samples.filter(({ name }) => !name.endsWith("-base"));
}

/** Composes a frankenmerge of two models, and asks where another recipe is being composed. */
export function stackModels(studio: Studio) {
  return attempt(studio, "Stack layers of two models", async () => {
    const [lower, upper] = await chooseModels(studio);
    if (!lower || !upper) return;
    const text = await studio.engine.formatRecipe(stackRecipe(lower, upper));
    await offerRecipe(studio, { name: `The stack of ${lower.name} and ${upper.name}`, text });
  });
}
