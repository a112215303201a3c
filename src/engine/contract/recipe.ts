/** A recipe: mergekit's language as data, with nothing resolved. */
export type Scalar = number | boolean | string;
/** One value, or a gradient: numbers spread over the layers. */
export type Level = Scalar | readonly number[];
/**
 * An entry of a list of filters: the first whose filter is absent, `*` or a substring of the
 * tensor's name gives the value.
 */
export interface Conditional {
  readonly filter?: string;
  readonly value: Level;
}
/**
 * A parameter's setting in a recipe. A list of strings is itself a value (VaRM's include and
 * exclude patterns).
 */
export type Setting = Level | readonly Conditional[] | readonly string[];
export type Settings = Readonly<Record<string, Setting>>;

export type FloatName = "float32" | "float16" | "bfloat16";

/**
 * Actions for a tensor that only some models have: copy it from the first that has it, leave it
 * out, or refuse the merge.
 */
export const EXTRA_ACTIONS = ["copy", "leave_out", "refuse"] as const;
export type ExtraAction = (typeof EXTRA_ACTIONS)[number];

export interface ExtraTensors {
  /** Part of the tensor's name, or with `*` the whole of it; absent for all. */
  readonly filter?: string;
  readonly value: ExtraAction;
}

export interface RecipeModel {
  /** Name in the library, or in the terminal a folder relative to the recipe. */
  readonly model: string;
  readonly parameters: Settings;
}

export interface Recipe {
  readonly method: string;
  readonly base?: string;
  readonly models: readonly RecipeModel[];
  readonly parameters: Settings;
  /** Dtype that mergekit computes in, and writes where `outDtype` is absent. */
  readonly dtype?: FloatName;
  readonly outDtype?: FloatName;
  /** Merges models of different architecture names where every tensor matches. */
  readonly allowArchitectureMismatch?: true;
  /** Copies the code files beside the weights that config.json names (`auto_map`). */
  readonly copyCode?: true;
  /** Actions for tensors that only some models have: the first matching entry counts. */
  readonly extraTensors?: readonly ExtraTensors[];
  /**
   * Reads a row of the embedding or head that holds NaN or infinity in one model from the base, or
   * else from the first model that holds numbers there.
   */
  readonly fillNanRows?: true;
  /** Number of layers that the recipe states; the plan refuses fewer than the models have. */
  readonly layers?: number;
  /**
   * Vocabulary of the result: `union`, `base` or a model. The plan demands one that all models
   * share.
   */
  readonly tokenizer?: string;
}

/** Key of each model of a recipe in results: its string, with `#2` … for repeats. */
export function modelKeys(recipe: Recipe): readonly string[] {
  const seen = new Map<string, number>();
  return recipe.models.map(({ model }) => {
    const count = (seen.get(model) ?? 0) + 1;
    seen.set(model, count);
    return count === 1 ? model : `${model}#${count}`;
  });
}
