/**
 * A recipe is mergekit's own language as data. Nothing in it is resolved yet.
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

/** Copied from the first model that has it, not written, or a reason not to merge. */
export const EXTRA_ACTIONS = ["copy", "leave_out", "refuse"] as const;
export type ExtraAction = (typeof EXTRA_ACTIONS)[number];

export interface ExtraTensors {
  /** A part of the tensor's name, or with `*` the whole of it; absent for all. */
  readonly filter?: string;
  readonly value: ExtraAction;
}

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
  /** What mergekit computes in; written too where `outDtype` is not stated. */
  readonly dtype?: FloatName;
  readonly outDtype?: FloatName;
  /** Models that call themselves different architectures are merged where every tensor fits. */
  readonly allowArchitectureMismatch?: true;
  /** Code that config.json names (`auto_map`) and that lies beside the weights is copied, too. */
  readonly copyCode?: true;
  /** What becomes of tensors that only some models have: the first entry that matches holds. */
  readonly extraTensors?: readonly ExtraTensors[];
  /** The layers that the recipe names of each model: all that it has, or the plan refuses it. */
  readonly layers?: number;
  /** Whose vocabulary the result has: `union`, `base` or a model. The plan wants one that all share. */
  readonly tokenizer?: string;
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
