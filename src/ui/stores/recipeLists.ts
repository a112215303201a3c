import {
  type Recipe,
  type RecipeInputs,
  type RecipeModel,
  type SliceSource,
  sourceLists,
} from "../../engine/contract/index.ts";

/** The only list of models of a recipe; null where several slices or modules have their own. */
export function onlyList(recipe: Recipe): readonly RecipeModel[] | null {
  const [list = [], ...others] = sourceLists(recipe);
  return others.length === 0 ? list : null;
}

/** Whether a parameter depends on layer or tensor: a gradient, or a list of filters. */
export function hasLevels(recipe: Recipe): boolean {
  const parts = [recipe, ...(recipe.modules ?? [])];
  const owners = [
    ...parts,
    ...parts.flatMap(({ slices = [] }) => slices),
    ...sourceLists(recipe).flat(),
  ];
  return owners
    .flatMap(({ parameters }) => Object.values(parameters))
    .some((setting) => Array.isArray(setting) && setting.some((each) => typeof each !== "string"));
}

/** Whether a recipe names no model yet. */
export const isEmpty = (recipe: Recipe) => sourceLists(recipe).length === 0;

/**
 * Recipe with each of its lists of models changed: its models, or the sources of every slice. A
 * source that is new to a slice gives the layers that the first one gives.
 */
export function mapLists(
  recipe: Recipe,
  change: (models: readonly RecipeModel[]) => readonly RecipeModel[],
): Recipe {
  const inputs = <Inputs extends RecipeInputs>(given: Inputs): Inputs => ({
    ...given,
    ...(given.slices
      ? {
          slices: given.slices.map((slice) => ({
            ...slice,
            sources: change(slice.sources).map(
              (source): SliceSource => ({ layers: slice.sources[0]!.layers, ...source }),
            ),
          })),
        }
      : { models: change(given.models) }),
  });
  const { modules, ...rest } = recipe;
  return modules ? { ...rest, modules: modules.map(inputs) } : inputs(recipe);
}

/** Whether the result's layers have the numbers that they have in all of its models. */
export function keepsNumbers(recipe: Recipe): boolean {
  const slices = [recipe, ...(recipe.modules ?? [])].flatMap((inputs) => inputs.slices ?? []);
  return (
    slices.length < 2 && slices.every(({ sources }) => sources.every((s) => s.layers[0] === 0))
  );
}
