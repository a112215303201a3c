import type { Cut, Reduction } from "../../method.ts";
import type { DrawKey } from "./philox.ts";

/** How one model's change is thinned out: what is left is multiplied by `rescale`. */
export type Thinning =
  | { readonly kind: "none" }
  /** Only what was selected by the size of the change, or by its variance over the models. */
  | { readonly kind: "largest" | "variance"; readonly cut: Cut }
  /** Each element with this probability. */
  | { readonly kind: "random"; readonly density: number; readonly key: DrawKey }
  /** The same with draws that the second half of the models holds. */
  | { readonly kind: "recorded"; readonly density: number };

/** One model's part in the sum. */
export interface Term {
  readonly weight: number;
  /** The weight of its change when the sign is elected. */
  readonly vote: number;
  readonly rescale: number;
  readonly thinning: Thinning;
}

/** How the terms come together. */
export interface Consensus {
  /** Whether changes against the elected sign are left out. */
  readonly elect: boolean;
  /** Divide by the weights that are left, element by element. */
  readonly normalize: boolean;
  /** The divisor is held above it; null: not held. */
  readonly floor: number | null;
  readonly lambda: number;
  /** A divisor of at most so much of the weights' sizes is one of rounding: it counts as 1. */
  readonly slack: number;
}

/** What thinning leaves of each model's change: Σ|δ|, Σ|kept|, Σ kept², number of kept. */
export const keptSums: Reduction = { rule: "task_vector_sums", powers: [1, 1, 2, 0] };

/** Below every divisor. */
const NO_FLOOR = -3e38;

/** A whole number below 2^32 as two floats that hold it exactly. */
const halves = (value: number) => [Math.floor(value / 2 ** 16), value % 2 ** 16];

function thinningConstants(thinning: Thinning): readonly number[] {
  switch (thinning.kind) {
    case "none":
      return [0];
    case "largest":
    case "variance": {
      const { bits, before } = thinning.cut;
      const code = thinning.kind === "largest" ? 1 : 2;
      return [code, Math.floor(bits / 2 ** 15), bits % 2 ** 15, ...halves(before)];
    }
    case "random":
      return [3, ...halves(drawLimit(thinning.density)), ...thinning.key.flatMap(halves)];
    case "recorded":
      return [4, thinning.density];
    default:
      return thinning satisfies never;
  }
}

/** A draw of 32 bits below it keeps an element. A density of 1 is no thinning at all. */
export function drawLimit(density: number): number {
  return Math.min(2 ** 32 - 1, Math.round(density * 2 ** 32));
}

/** The constants of shaders/lib/task_vectors.wgsl. */
export function taskVectorConstants(terms: readonly Term[], consensus: Consensus): number[] {
  const { elect, normalize, floor, lambda, slack } = consensus;
  const header = [Number(elect), Number(normalize), floor ?? NO_FLOOR, lambda, slack];
  const blocks = terms.flatMap(({ weight, vote, rescale, thinning }) => {
    const some = [weight, vote, rescale, ...thinningConstants(thinning)];
    return [...some, ...Array.from({ length: 10 - some.length }, () => 0)];
  });
  return [...header, ...blocks];
}
