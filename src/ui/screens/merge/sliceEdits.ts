import type {
  LayerRange,
  Recipe,
  RecipeInputs,
  RecipeSlice,
  SliceSource,
} from "../../../engine/contract/index.ts";

type Slices = readonly RecipeSlice[];

/** The recipe, or one of its modules, with its slices changed. */
export function editSlices(
  recipe: Recipe,
  module: number,
  change: (slices: Slices) => Slices,
): Recipe {
  const changed = <Inputs extends RecipeInputs>(inputs: Inputs): Inputs => ({
    ...inputs,
    slices: change(inputs.slices ?? []),
  });
  if (!recipe.modules) return changed(recipe);
  return {
    ...recipe,
    modules: recipe.modules.map((inputs, i) => (i === module ? changed(inputs) : inputs)),
  };
}

/** Slices with one of them changed. */
export function changeSlice(
  slices: Slices,
  index: number,
  change: (slice: RecipeSlice) => RecipeSlice,
): Slices {
  return slices.map((slice, i) => (i === index ? change(slice) : slice));
}

/** Slices with one more at the end: layers of a model. */
export function addSlice(slices: Slices, model: string, layers: LayerRange): Slices {
  return [...slices, { sources: [{ model, layers, parameters: {} }], parameters: {} }];
}

/** Slices with one of them at another place. */
export function moveSlice(slices: Slices, from: number, to: number): Slices {
  const moved = slices[from];
  return moved ? slices.toSpliced(from, 1).toSpliced(to, 0, moved) : slices;
}

/** A slice with one source changed; the others give as many layers, from their own first on. */
export function changeSource(
  slice: RecipeSlice,
  index: number,
  change: Partial<SliceSource>,
): RecipeSlice {
  const { layers } = change;
  const sources = slice.sources.map((source, i): SliceSource => {
    if (i === index) return { ...source, ...change };
    if (!layers) return source;
    const [first] = source.layers;
    return { ...source, layers: [first, first + layers[1] - layers[0]] };
  });
  return { ...slice, sources };
}

/** A slice that merges one model more, with the layers that the first one gives. */
export function addSource(slice: RecipeSlice, model: string): RecipeSlice {
  const { layers } = slice.sources[0]!;
  return { ...slice, sources: [...slice.sources, { model, layers, parameters: {} }] };
}

/** A slice without one of its sources. */
export function removeSource(slice: RecipeSlice, index: number): RecipeSlice {
  return { ...slice, sources: slice.sources.toSpliced(index, 1) };
}

/**
 * Layers [first, end) with another first or last one, within a model of so many layers: the other
 * end gives way where they would cross.
 */
export function withEnd(
  [first, end]: LayerRange,
  which: "first" | "last",
  layer: number,
  layers: number | null,
): LayerRange {
  const most = layers === null ? Number.MAX_SAFE_INTEGER : layers - 1;
  const at = Math.min(most, Math.max(0, Math.trunc(layer)));
  return which === "first" ? [at, Math.max(at + 1, end)] : [Math.min(first, at), at + 1];
}
