import type { Scalar } from "./recipe.ts";

/** Place of a tensor in the weight map. `layer` is null outside the stack. */
export interface MapPlace {
  readonly layer: number | null;
  /**
   * Column heading: `q`, `gate`, `ln₁`, `embed`, `norm`, `head`, or the end of the tensor's name.
   */
  readonly column: string;
  readonly group: "embedding" | "attention" | "mlp" | "norm" | "head" | "other";
}

export interface WeightCell extends MapPlace {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly elementCount: number;
  /**
   * Coefficient of each model's weights, in the order of `WeightMap.models`; the base's is the
   * remainder to 1. Null before the tensor is measured; a mean where the method decides per
   * element.
   */
  readonly shares: readonly number[] | null;
  /** Standard deviation of the shares over the tensor, where the method decides per element. */
  readonly spread: readonly number[] | null;
  /** ‖θ_model − θ_base‖ / ‖θ_base‖ per model; null without a base or before it is measured. */
  readonly change: readonly number[] | null;
  /** Whether the recipe states this tensor's shares by hand. */
  readonly locked: boolean;
  /** Whether the tensor is merged, not copied. */
  readonly merged: boolean;
}

export interface WeightMap {
  /** Keys of the recipe's models. */
  readonly models: readonly string[];
  readonly cells: readonly WeightCell[];
  /** Number of measured cells, of those that must be measured. */
  readonly measured: number;
  readonly total: number;
  /** Headline: one sentence on the shares; empty while little is measured. */
  readonly headline: string;
  /** Each model's change relative to the base, and its mean cosine to the other changes. */
  readonly summary: readonly {
    readonly model: string;
    readonly change: number | null;
    readonly cosine: number | null;
  }[];
}

/** Statistics of one tensor. Counts are exact; moments are in float64. */
export interface TensorStatistics {
  readonly count: number;
  readonly mean: number | null;
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly absMax: number | null;
  readonly l1: number | null;
  readonly l2: number | null;
  readonly zeros: number;
  readonly nan: number;
  readonly inf: number;
}

/** Difference of two tensors: θ_model − θ_against. */
export interface DeltaStatistics {
  readonly deltaL2: number | null;
  /** L2 norm of the difference over that of the other tensor. */
  readonly relative: number | null;
  readonly cosine: number | null;
  readonly signFlips: number;
  readonly maxAbsDelta: number | null;
}

export interface Histogram {
  /** Range of the bins, which are equally wide. */
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

export interface TensorInspection {
  readonly tensor: string;
  readonly statistics: TensorStatistics;
  readonly against: DeltaStatistics | null;
  /** Histogram of the difference where there is an `against`, else of the values. */
  readonly histogram: Histogram | null;
}

/** A parameter of a merge as it is resolved, over the layers of one numbered list. */
export interface ParameterCurve {
  readonly parameter: string;
  /** Key of the model whose parameter it is; null for one of the whole merge. */
  readonly model: string | null;
  /** The list, `model.layers`; null for what lies outside the layers, which has one value. */
  readonly list: string | null;
  /** Columns of the weight map that share these values. */
  readonly columns: readonly string[];
  /** Value in each layer; null where the parameter has none. */
  readonly values: readonly (Scalar | null)[];
}
