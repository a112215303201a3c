/** Where a tensor stands in the map. `layer` is null outside the stack. */
export interface MapPlace {
  readonly layer: number | null;
  /** Short heading: `q`, `gate`, `ln₁`, `embed`, `norm`, `head`, or the tensor's own last words. */
  readonly column: string;
  readonly group: "embedding" | "attention" | "mlp" | "norm" | "head" | "other";
}

export interface WeightCell extends MapPlace {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly elementCount: number;
  /**
   * The coefficient on each model's weights, in the order of `WeightMap.models`; the base's is what
   * remains to 1. Null while the tensor is not measured; a mean where the method decides per element.
   */
  readonly shares: readonly number[] | null;
  /** Standard deviation of the shares over the tensor, where the method decides per element. */
  readonly spread: readonly number[] | null;
  /** ‖θ_model − θ_base‖ / ‖θ_base‖ per model; null without a base or while not measured. */
  readonly change: readonly number[] | null;
  /** True where the recipe itself states this tensor's shares. */
  readonly locked: boolean;
  /** False where the tensor is copied, not merged. */
  readonly merged: boolean;
}

export interface WeightMap {
  /** Keys of the recipe's models. */
  readonly models: readonly string[];
  readonly cells: readonly WeightCell[];
  /** How many of the cells that must be measured are. */
  readonly measured: number;
  readonly total: number;
  /** One sentence that says what is interesting; empty while little is measured. */
  readonly headline: string;
  /** Per model: size of the whole change relative to the base, and its mean cosine to the others. */
  readonly summary: readonly {
    readonly model: string;
    readonly change: number | null;
    readonly cosine: number | null;
  }[];
}

/** One tensor's numbers. Counts are exact; moments are in float64. */
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

/** Two tensors against each other: θ_model − θ_against. */
export interface DeltaStatistics {
  readonly deltaL2: number | null;
  /** deltaL2 / l2 of the other. */
  readonly relative: number | null;
  readonly cosine: number | null;
  readonly signFlips: number;
  readonly maxAbsDelta: number | null;
}

export interface Histogram {
  /** The outer edges; bins are equally wide. */
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

export interface TensorInspection {
  readonly tensor: string;
  readonly statistics: TensorStatistics;
  readonly against: DeltaStatistics | null;
  /** Of the difference where there is an `against`, else of the values. */
  readonly histogram: Histogram | null;
}
