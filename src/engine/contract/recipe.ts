/**
 * A recipe is mergekit's own language as data: `merge_method`, `models`, `base_model`, `parameters`,
 * `dtype`, `out_dtype`. Nothing in it is resolved yet.
 */
export type Scalar = number | boolean | string;
/** One value, or a gradient: a list of numbers laid over the layers. */
export type Level = Scalar | readonly number[];
/** The first entry whose filter is absent, `*` or a substring of the tensor's name gives the value. */
export interface Conditional {
  readonly filter?: string;
  readonly value: Level;
}
/**
 * A parameter as a recipe states it. A list of strings is itself a value (VaRM's include and exclude
 * patterns).
 */
export type Setting = Level | readonly Conditional[] | readonly string[];
export type Settings = Readonly<Record<string, Setting>>;

export type FloatName = "float32" | "float16" | "bfloat16";

export interface RecipeModel {
  /** A name in the library, or in the terminal a folder relative to the recipe. */
  readonly model: string;
  readonly parameters: Settings;
}

export interface Recipe {
  readonly method: string;
  readonly base?: string;
  readonly models: readonly RecipeModel[];
  readonly parameters: Settings;
  readonly dtype?: FloatName;
  readonly outDtype?: FloatName;
}

/** The key of each model of a recipe in results: its own string, with `#2` … for a repeat. */
export function modelKeys(recipe: Recipe): readonly string[] {
  const seen = new Map<string, number>();
  return recipe.models.map(({ model }) => {
    const count = (seen.get(model) ?? 0) + 1;
    seen.set(model, count);
    return count === 1 ? model : `${model}#${count}`;
  });
}
