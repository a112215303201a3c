import type { MethodCard, OutputDType, ParamCard, Scalar } from "../contract/index.ts";
import type { ShaderConstants } from "../gpu/shaderConstants.ts";
import type { Part } from "../gpu/tiles/tiling.ts";

/** A card without its `name`, which is the key in the method's table of parameters. */
type Nameless<Card> = Card extends unknown ? Omit<Card, "name" | "required"> : never;

/**
 * A merge method's parameter, without its name: the form's field and the recipe's check are made
 * from it.
 */
export type Param = Nameless<ParamCard> & {
  /** Whether a recipe without a value is refused. */
  readonly required?: boolean;
  /** Synonyms of a choice that a recipe may use and the form does not offer. */
  readonly accepts?: readonly string[];
};

/**
 * A parameter's value for one tensor, after gradients and filters were resolved; null where not
 * stated.
 */
export type Value = Scalar | readonly string[] | null;
export type Values = Readonly<Record<string, Value>>;

/** Parameters resolved for one output tensor. */
export interface Resolved {
  readonly global: Values;
  /** Parameters of each model of the recipe, without the base. */
  readonly models: readonly Values[];
  /** Dtype that every step is rounded to, for methods with `roundsSteps`; float32 where absent. */
  readonly arithmetic?: OutputDType;
}

/** A row of four sums from a reduce rule, in float64: float32 sums of fixed blocks, added up. */
export type Facts = readonly [number, number, number, number];

/** Sums over a tensor's elements that `decide` needs. */
export interface Reduction {
  /** Name of the reduce rule: a file in shaders/reduce, whose header says what its sums are. */
  readonly rule: string;
  /** Number of rows for a number of models; by default one row for each model. */
  rows?(models: number): number;
  /**
   * Unit that is summed and decided by itself: the tensor, or each of its rows or columns, which
   * `decide` then sees as a tensor. By default the tensor.
   */
  readonly part?: Part;
  /**
   * Powers of the changes in each of the four sums of a row, 0 for a count. Stated where squares of
   * tiny changes would underflow in float32: they are then summed in a smaller unit.
   */
  readonly powers?: readonly [number, number, number, number];
}

/** Lines of a tensor that values are derived along, before a tile is used. */
interface DerivedLines {
  /** Axis that lines run along: the last or, of tensors with several, the second. */
  readonly lines: "last" | "second";
  /** Number of models that values are made of, the first ones. */
  readonly models: number;
}

/**
 * Values of a tensor's elements that depend on the line that they lie on. They follow the models as
 * further ones, in float32, for the rules of the method alone.
 */
export type Derivation = DerivedLines &
  (
    | {
        /** Name of the derive rule, which gives each element a value: a file in shaders/derive. */
        readonly rule: string;
      }
    | {
        /** Value of a line, which all its elements get; in float64 on the CPU, once for a tensor. */
        line(base: Float64Array, model: Float64Array): number;
      }
  );

/** Selection of elements: so many of them, the largest by a score. */
export interface Selection {
  /** Name of the score rule: a file in shaders/score. Scores are never negative. */
  readonly rule: string;
  /** Whether all models share one score, and with it one selection. */
  readonly shared: boolean;
  /** Whether only the scores at the cuts are wanted, not which of equal ones lie above them. */
  readonly scoresOnly?: true;
  /** Elements that are counted: all, or those with a score above 0. */
  readonly of: "all" | "positive";
  /** Numbers of elements to keep of so many, for each model; each number gives one cut. */
  counts(elements: number): readonly (readonly number[])[];
}

/**
 * Threshold of a selection: it keeps elements whose score exceeds `bits` (a float32's bit pattern),
 * and of those with exactly that score the ones at indices below `before`.
 */
export interface Cut {
  readonly bits: number;
  readonly before: number;
  /** Number of elements kept. */
  readonly kept: number;
}

/** A tensor after selection, before its decision. */
export interface SelectedTensor {
  readonly name: string;
  readonly elementCount: number;
  readonly resolved: Resolved;
  /** Whether the tensor has a base. */
  readonly hasBase: boolean;
  /**
   * Keys of the models, which seed random draws: so a draw does not depend on the models' order.
   */
  readonly keys: readonly string[];
  /** Cuts of each model, one for each of its counts; empty where the method selects nothing. */
  readonly cuts: readonly (readonly Cut[])[];
}

/** A tensor, or one row or column of it, as `decide` gets it. */
export interface UnitTensor extends SelectedTensor {
  /** Rows of sums from the reduce rule; empty where the method has none. */
  readonly facts: readonly Facts[];
}

/** Outcome of `decide` for one tensor. */
export interface Decision {
  /** Constants of the apply rule in the order its shader states; float64, uploaded as float32. */
  readonly constants: readonly number[];
  /** Coefficient of each model's weights; null where it differs by element. */
  readonly shares: readonly number[] | null;
}

/**
 * A merge method: its card, its steps (select, reduce, decide, apply) and a float64 reference.
 * Methods see no files, buffers or tiles, so tiling cannot change a result.
 */
export interface MergeMethod {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly paper: { readonly label: string; readonly url: string };
  readonly base: "required" | "optional" | "none";
  readonly models: { readonly min: number; readonly max: number };
  readonly params: Readonly<Record<string, Param>>;
  /** Name of the per-model parameter that states a tensor's share by hand, or null. */
  readonly override: string | null;
  /** Whether mergekit has a method of this id with these parameters. */
  readonly mergekit: boolean;
  /** Whether the result is independent of the models' order. */
  readonly symmetric: boolean;
  /**
   * Whether the base is blended like the models: shaders then see it as the first model, and no
   * base.
   */
  readonly blendsBase?: boolean;
  /**
   * Rows merged where vocabularies differ, as mergekit does for this method: the base's, where a
   * model with fewer rows is refused; those common to all; or none, where all must be equal. By
   * default the base's, or the common rows where there can be no base.
   */
  readonly tokenRows?: "base" | "common" | "equal";

  /**
   * Whether mergekit computes this method in the recipe's dtype, rounding each tensor, product and
   * sum; the profile `mergekit` then does the same.
   */
  readonly roundsSteps?: boolean;
  /**
   * Sentence that says where the profiles `mergekit` and `paper` differ under these parameters;
   * null where they agree. Only for methods with a parameter `profile`.
   */
  profilesDiffer?(resolved: Resolved): string | null;
  /** Sentence that says why the parameters contradict each other, or null. */
  refuse?(global: Values, models: readonly Values[]): string | null;
  /**
   * Key of the unit that a tensor is decided in, together with all tensors of the same key. By
   * default each tensor is its own unit.
   */
  unit?(tensor: string, global: Values): string;
  /**
   * Source of a tensor that is copied instead of merged: the base or the first model; null to
   * merge. By default all are merged.
   */
  keep?(tensor: string, global: Values): "base" | "first" | null;
  /** Values derived of this tensor's elements; null, or absent, for none. */
  derive?(resolved: Resolved): Derivation | null;
  /** Selection of this tensor's elements; null, or absent, for none. */
  select?(resolved: Resolved): Selection | null;
  /** Reduction of this tensor; null, or absent, for none. */
  reduce?(resolved: Resolved): Reduction | null;
  /** Constants of the reduce rule; by default none. */
  reduceConstants?(tensor: SelectedTensor): readonly number[];
  /**
   * Reduce rule that sums each model's share and its square (sums 0 and 1) for the weight map, for
   * tensors whose shares differ by element. It reads the constants that `decide` made for the apply
   * rule.
   */
  elementShares?(resolved: Resolved): string | null;
  /** Constants that the reduce and apply rules' shaders are compiled for; by default none. */
  linked?(resolved: Resolved): ShaderConstants;
  /** Apply rule of this tensor: a file in shaders/merge. */
  apply(resolved: Resolved): string;
  /** Decisions for the tensors of a unit, in their order. */
  decide(unit: readonly UnitTensor[]): readonly Decision[];
  /**
   * Reference implementation in float64, written to be read: one merged array per tensor of the
   * unit. Shares no code with the shaders. `base` is null where the recipe has none.
   */
  reference(unit: readonly ReferenceTensor[]): readonly Float64Array[];
}

/** A tensor of a unit with its values, as `reference` gets it. */
export interface ReferenceTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly resolved: Resolved;
  readonly keys: readonly string[];
  readonly base: Float64Array | null;
  readonly models: readonly Float64Array[];
}

/** A merge method, frozen. */
export function defineMethod(method: MergeMethod): MergeMethod {
  return Object.freeze(method);
}

/**
 * Card of a method, as plain data for forms, docs and the terminal. Parameters with a single choice
 * are left out.
 */
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
