import type {
  LayerRange,
  Recipe,
  RecipeInputs,
  RecipeModel,
  RecipeSlice,
  Settings,
} from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import { overlay } from "./overlay.ts";

/** Layers of the result that a slice makes, and what lies around them. */
export interface SlicePlace {
  /** First layer of the result. */
  readonly at: number;
  readonly count: number;
  /** Whether it is the first slice, which gives the tensors before the layers. */
  readonly first: boolean;
  /** Whether it is the last slice, which gives the tensors after the layers. */
  readonly last: boolean;
}

/** Part of a result whose tensors are all merged from the same models under the same settings. */
export interface Section {
  /** The recipe with this part as all of it: models and their parameters, base, parameters. */
  readonly recipe: Recipe;
  /** Name of its module; null where the recipe has none. */
  readonly module: string | null;
  /** Null for all layers of whole models. */
  readonly place: SlicePlace | null;
  /** Layers of each of the models that go into a slice; empty for whole models. */
  readonly ranges: readonly LayerRange[];
}

const countOf = ({ sources }: RecipeSlice): number => {
  const [first, end] = sources[0]?.layers ?? [0, 0];
  return end - first;
};

function sectionsOfInputs(
  recipe: Recipe,
  { models, slices }: RecipeInputs,
  parameters: Settings,
  module: string | null,
): readonly Section[] {
  const { slices: _, modules: __, stages: ___, ...rest } = recipe;
  const part = (own: readonly RecipeModel[], base: string | undefined, settings: Settings) => ({
    ...rest,
    models: own,
    parameters: settings,
    ...(base === undefined ? {} : { base }),
  });
  if (!slices) {
    return [{ recipe: part(models, recipe.base, parameters), module, place: null, ranges: [] }];
  }
  let at = 0;
  return slices.map((slice, i) => {
    const { sources, base = recipe.base } = slice;
    const own = sources.map(({ layers: _, ...model }) => model);
    const place = { at, count: countOf(slice), first: i === 0, last: i === slices.length - 1 };
    at += place.count;
    return {
      recipe: part(own, base, overlay(slice.parameters, parameters)),
      module,
      place,
      ranges: sources.map(({ layers }) => layers),
    };
  });
}

/**
 * The parts of a recipe that are planned one by one: one for whole models, one for each slice, each
 * in each module. A slice's parameters come before its module's, and those before the recipe's.
 */
export function sectionsOf(recipe: Recipe): readonly Section[] {
  const { modules, parameters } = recipe;
  if (!modules) return sectionsOfInputs(recipe, recipe, parameters, null);
  return modules.flatMap((module) =>
    sectionsOfInputs(recipe, module, overlay(module.parameters, parameters), module.name),
  );
}

/** Whether a recipe takes ranges of layers, so that its result has another depth than its models. */
export function hasSlices({ slices, modules = [] }: Recipe): boolean {
  return slices !== undefined || modules.some((module) => module.slices !== undefined);
}

/**
 * Sentence that says why a slice has not the base that the method works from, or null: with slices,
 * mergekit does not add the base by itself.
 */
export function findMissingBase(method: MergeMethod, { recipe, place }: Section): string | null {
  const { base, models } = recipe;
  if (!place || method.base === "none" || base === undefined) return null;
  if (models.some(({ model }) => model === base)) return null;
  return `The base "${base}" is not among the sources of the slice, which mergekit refuses: add it as a source with as many layers, or list "models" in place of "slices".`;
}
