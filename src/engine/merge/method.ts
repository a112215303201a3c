import type { MethodCard, OutputDType, ParamCard, Scalar } from "../contract/index.ts";
import type { Part } from "../gpu/tiles/tiling.ts";

/** A card without what the method's table says already. */
type Nameless<Card> = Card extends unknown ? Omit<Card, "name" | "required"> : never;

/** A parameter of a method, beside its name. Drawn as a field, checked in a recipe. */
export type Param = Nameless<ParamCard> & {
  /** Without a value the recipe is refused. */
  readonly required?: boolean;
  /** Further spellings of a choice that a recipe may use, beside those that the form offers. */
  readonly accepts?: readonly string[];
};

/** A parameter's value for one tensor: gradients and filters are gone. `null`: not stated. */
export type Value = Scalar | readonly string[] | null;
export type Values = Readonly<Record<string, Value>>;

/** The parameters as they hold for one output tensor. */
export interface Resolved {
  readonly global: Values;
  /** One entry per model of the recipe, the base not counted. */
  readonly models: readonly Values[];
  /**
   * What every step is rounded to, of methods that say `roundsSteps`; float32 where nothing is stated.
   */
  readonly arithmetic?: OutputDType;
}

/** A row of sums that a reduce rule found, in float64 from float32 sums of fixed blocks. */
export type Facts = readonly [number, number, number, number];

/** What must be known of a tensor's elements before it is decided. */
export interface Reduction {
  /** The file in shaders/reduce; what its rows of sums are, the file says. */
  readonly rule: string;
  /** How many rows it returns for so many models. Without it one for each. */
  rows?(models: number): number;
  /**
   * What is summed and decided by itself: the tensor, or each of its rows or columns, which `decide`
   * then sees as tensors. Without it the tensor.
   */
  readonly part?: Part;
  /**
   * With which power of the changes each of the four sums of a row grows, 0 for a count. Stated where
   * squares of tiny changes must not vanish in float32: they are then summed in a smaller unit.
   */
  readonly powers?: readonly [number, number, number, number];
}

/** Which elements of a tensor a method keeps: fractions of them, the largest by a score. */
export interface Selection {
  /** The file in shaders/score: what an element counts, never negative. */
  readonly rule: string;
  /** True where the score is the same for all models: then there is one choice. */
  readonly shared: boolean;
  /** What the fractions are of: all elements, or those with a score above 0. Rounded down. */
  readonly of: "all" | "positive";
  /** For each model one fraction or more; each gives a cut. */
  readonly fractions: readonly (readonly number[])[];
  /** How many are kept at least, where a fraction is above 0. */
  readonly least?: number;
}

/**
 * A threshold: kept are the elements with a score above `bits` (those of a float32), and among those
 * with exactly that score the ones at places before `before`.
 */
export interface Cut {
  readonly bits: number;
  readonly before: number;
  /** How many elements are kept. */
  readonly kept: number;
}

/** One tensor with what was selected of it. */
export interface SelectedTensor {
  readonly name: string;
  readonly elementCount: number;
  readonly resolved: Resolved;
  /** Whether there is a base to this tensor. */
  readonly hasBase: boolean;
  /** What the models are called, for draws that must not depend on their order. */
  readonly keys: readonly string[];
  /** Per model, for each of its fractions; empty where the method selects nothing. */
  readonly cuts: readonly (readonly Cut[])[];
}

/** One tensor, or one of its parts, as `decide` sees it. */
export interface UnitTensor extends SelectedTensor {
  /** The reduce rule's rows of sums; empty where the method reduces nothing. */
  readonly facts: readonly Facts[];
}

/** What `decide` makes of one tensor. */
export interface Decision {
  /** The constants of the apply rule, in the order that its file states; float64, uploaded as f32. */
  readonly constants: readonly number[];
  /** The coefficient on each model's weights; null where it differs from element to element. */
  readonly shares: readonly number[] | null;
}

/**
 * A merge method: questions (select, reduce, decide, apply), a card, and the obvious version of itself.
 * It never sees a file, a buffer or a tile, so where the work is cut cannot change a result.
 */
export interface MergeMethod {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly paper: { readonly label: string; readonly url: string };
  readonly base: "required" | "optional" | "none";
  readonly models: { readonly min: number; readonly max: number };
  readonly params: Readonly<Record<string, Param>>;
  /** The per-model parameter that states a tensor's share by hand. */
  readonly override: string | null;
  /** True where mergekit has the method by this id with these parameters. */
  readonly mergekit: boolean;
  /** False where exchanging two models changes the result by design. */
  readonly symmetric: boolean;
  /**
   * True where the base is blended as the models are: to the shaders it is the first of them, and
   * there is no base.
   */
  readonly blendsBase?: boolean;
  /**
   * Which rows are merged where vocabularies differ, as mergekit does for this method: those of the
   * base, a model with fewer being refused; those that all have; or none, equal ones being asked for.
   * Without it the base's, and those that all have where there can be no base.
   */
  readonly tokenRows?: "base" | "common" | "equal";

  /**
   * True where mergekit computes in the recipe's dtype, every tensor, product and sum rounded to it,
   * and so does the method in the profile `mergekit`.
   */
  readonly roundsSteps?: boolean;
  /**
   * Where the profiles `mergekit` and `paper` come to other numbers with these parameters, in words;
   * null where they agree. Only for methods with such a parameter `profile`.
   */
  profilesDiffer?(resolved: Resolved): string | null;
  /** Throws a sentence where the parameters make no sense together. */
  refuse?(global: Values): string | null;
  /** Tensors with one key are decided together. Without it each stands alone. */
  unit?(tensor: string, global: Values): string;
  /** A tensor that is not merged: kept from the base or the first model. Without it all are merged. */
  keep?(tensor: string, global: Values): "base" | "first" | null;
  /** Which of a tensor's elements are kept. Without it, or with null, none are told apart. */
  select?(resolved: Resolved): Selection | null;
  /** The sums that `decide` needs of this tensor. Without it, or with null, none. */
  reduce?(resolved: Resolved): Reduction | null;
  /** The constants of that file. Without it there are none. */
  reduceConstants?(tensor: SelectedTensor): readonly number[];
  /**
   * For tensors whose shares differ from element to element: the file in shaders/reduce that sums
   * each model's share and its square (facts 0 and 1), for the weight map. It reads the constants
   * that `decide` made for the apply rule.
   */
  elementShares?(resolved: Resolved): string | null;
  /** The file in shaders/merge that computes an element of this tensor. */
  apply(resolved: Resolved): string;
  /** One decision per tensor of the unit, in its order. */
  decide(unit: readonly UnitTensor[]): readonly Decision[];
  /**
   * The whole method once more, in float64, written for the eye: one merged array per tensor of the
   * unit. Shares nothing with the shaders. `base` is null where the recipe has none.
   */
  reference(unit: readonly ReferenceTensor[]): readonly Float64Array[];
}

/** A tensor of a unit with its values, for `reference`. */
export interface ReferenceTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly resolved: Resolved;
  readonly keys: readonly string[];
  readonly base: Float64Array | null;
  readonly models: readonly Float64Array[];
}

/** A method without surprises, frozen. */
export function defineMethod(method: MergeMethod): MergeMethod {
  return Object.freeze(method);
}

/** The method as plain data for forms, docs and the terminal. What leaves no choice is not asked for. */
export function methodCard(method: MergeMethod): MethodCard {
  const { id, title, summary, paper, base, models, override, mergekit } = method;
  const asked = Object.entries(method.params).filter(
    ([, param]) => param.kind !== "choice" || param.options.length > 1,
  );
  const params = asked.map(([name, { accepts: _, required = false, ...shown }]) => {
    return { name, required, ...shown };
  });
  return { id, title, summary, paper, base, models, params, override, mergekit };
}
