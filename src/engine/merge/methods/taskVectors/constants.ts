import type { ShaderConstants } from "../../../gpu/shaderConstants.ts";
import type { Cut, Reduction } from "../../method.ts";
import type { DrawKey } from "./philox.ts";

/** Sparsification of one model's change; what remains is multiplied by `rescale`. */
export type Thinning =
  | { readonly kind: "none" }
  /** Keeps the selected elements: largest by magnitude, or by variance over the models. */
  | { readonly kind: "largest" | "variance"; readonly cut: Cut }
  /** Keeps the largest elements by magnitude, without the very largest of these. */
  | { readonly kind: "band"; readonly cut: Cut; readonly above: Cut }
  /** Keeps each element with probability `density`, by a seeded draw. */
  | { readonly kind: "random"; readonly density: number; readonly key: DrawKey }
  /**
   * Keeps each element with probability `density`, by draws stored in the second half of the
   * models.
   */
  | { readonly kind: "recorded"; readonly density: number }
  /**
   * Keeps an element with a probability that grows with its magnitude's place in its line, from `low`
   * by `width`; by a seeded draw, or by recorded ones as above.
   */
  | {
      readonly kind: "ranked" | "recorded ranked";
      readonly low: number;
      readonly width: number;
      /** Whether what is kept is divided by its probability. */
      readonly divides: boolean;
      readonly key: DrawKey;
    };

/** One model's term in the sum of task vectors. */
export interface Term {
  readonly weight: number;
  /** Weight of the model's change in the sign election. */
  readonly vote: number;
  readonly rescale: number;
  readonly thinning: Thinning;
}

/** How the terms are combined. */
export interface Consensus {
  /** Whether changes against the elected sign are dropped. */
  readonly elect: boolean;
  /** Whether the sum is divided, element by element, by the weights of the terms that remain. */
  readonly normalize: boolean;
  /** Lower bound of the divisor; null for none. */
  readonly floor: number | null;
  readonly lambda: number;
  /**
   * Fraction of the weights' magnitudes up to which a divisor counts as rounding error and becomes
   * 1.
   */
  readonly slack: number;
}

/** Codes of the kinds in shaders/lib/task_vectors.wgsl. */
const THINNINGS = {
  none: 0,
  largest: 1,
  variance: 2,
  random: 3,
  recorded: 4,
  band: 5,
  ranked: 6,
  "recorded ranked": 7,
} as const satisfies Record<Thinning["kind"], number>;

/** What the shader of a tensor is compiled for. */
interface TaskVectorForm {
  /** Sparsification of the models that do not keep all their changes. */
  readonly thins: Thinning["kind"];
  readonly elect: boolean;
  /** Whether a model's changes may be rescaled after thinning. */
  readonly rescales: boolean;
  /** Whether weights are the votes where steps are rounded. */
  readonly weighsVotes: boolean;
}

/** Linked constants of shaders/lib/task_vectors.wgsl. */
export function taskVectorLinked({
  thins,
  elect,
  rescales,
  weighsVotes,
}: TaskVectorForm): ShaderConstants {
  return {
    THINNING: THINNINGS[thins],
    ELECTS: elect,
    RESCALES: rescales,
    WEIGHED_VOTES: weighsVotes,
  };
}

/**
 * Sums of each model's change before and after sparsification: Σ|δ|, Σ|kept|, Σ kept², number of
 * kept elements.
 */
export const keptSums: Reduction = { rule: "task_vector_sums", powers: [1, 1, 2, 0] };

/** Constants of each model; PER_MODEL of shaders/lib/task_vectors.wgsl. */
const PER_MODEL = 12;

/** Lower bound that no divisor reaches: none. */
const NO_FLOOR = -3e38;

/** Two floats that hold a whole number below 2^32 exactly. */
const halves = (value: number) => [Math.floor(value / 2 ** 16), value % 2 ** 16];

const cutConstants = ({ bits, before }: Cut) => [
  Math.floor(bits / 2 ** 15),
  bits % 2 ** 15,
  ...halves(before),
];

function thinningConstants(thinning: Thinning): readonly number[] {
  switch (thinning.kind) {
    case "none":
      return [THINNINGS.none];
    case "largest":
    case "variance":
      return [THINNINGS[thinning.kind], ...cutConstants(thinning.cut)];
    case "random":
      return [
        THINNINGS.random,
        ...halves(drawLimit(thinning.density)),
        ...thinning.key.flatMap(halves),
      ];
    case "recorded":
      return [THINNINGS.recorded, thinning.density];
    case "band":
      return [THINNINGS.band, ...cutConstants(thinning.cut), ...cutConstants(thinning.above)];
    case "ranked":
    case "recorded ranked": {
      const { kind, low, width, divides, key } = thinning;
      return [THINNINGS[kind], low, width, Number(divides), ...key.flatMap(halves)];
    }
    default:
      return thinning satisfies never;
  }
}

/** Limit below which a 32-bit draw keeps an element. A density of 1 is not sparsified at all. */
export function drawLimit(density: number): number {
  return Math.min(2 ** 32 - 1, Math.round(density * 2 ** 32));
}

/** Constants of shaders/lib/task_vectors.wgsl. */
export function taskVectorConstants(terms: readonly Term[], consensus: Consensus): number[] {
  const { elect, normalize, floor, lambda, slack } = consensus;
  const header = [Number(elect), Number(normalize), floor ?? NO_FLOOR, lambda, slack];
  const blocks = terms.flatMap(({ weight, vote, rescale, thinning }) => {
    const some = [weight, vote, rescale, ...thinningConstants(thinning)];
    return [...some, ...Array.from({ length: PER_MODEL - some.length }, () => 0)];
  });
  return [...header, ...blocks];
}
