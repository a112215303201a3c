import type { DeltaStatistics } from "../contract/index.ts";
import { invariant } from "../core/invariant.ts";
import { BLOCK, finiteOrNull, Sum } from "./statistics.ts";

export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Statistics of the difference of two tensors, chunk by chunk in float64. Elements where either is
 * NaN or infinite are left out; a sign flip is a change from above zero to below, or back.
 */
export class DeltaGatherer {
  readonly #difference = new Sum();
  readonly #squares = new Sum();
  readonly #otherSquares = new Sum();
  readonly #products = new Sum();
  #finite = 0;
  #signFlips = 0;
  #minDelta = Number.POSITIVE_INFINITY;
  #maxDelta = Number.NEGATIVE_INFINITY;

  add(values: Float64Array, others: Float64Array): void {
    invariant(values.length === others.length, "both chunks hold the same elements");
    for (let start = 0; start < values.length; start += BLOCK) {
      this.#addBlock(values.subarray(start, start + BLOCK), others.subarray(start, start + BLOCK));
    }
  }

  #addBlock(values: Float64Array, others: Float64Array): void {
    let difference = 0;
    let squares = 0;
    let otherSquares = 0;
    let products = 0;
    for (let i = 0; i < values.length; i++) {
      const a = values[i] as number;
      const b = others[i] as number;
      if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
      const delta = a - b;
      difference += delta * delta;
      squares += a * a;
      otherSquares += b * b;
      products += a * b;
      if ((a > 0 && b < 0) || (a < 0 && b > 0)) this.#signFlips++;
      if (delta < this.#minDelta) this.#minDelta = delta;
      if (delta > this.#maxDelta) this.#maxDelta = delta;
      this.#finite++;
    }
    this.#difference.add(difference);
    this.#squares.add(squares);
    this.#otherSquares.add(otherSquares);
    this.#products.add(products);
  }

  /** `relative` is null where the other tensor is zero, `cosine` where either is. */
  result(): DeltaStatistics {
    const none = this.#finite === 0;
    const deltaL2 = Math.sqrt(this.#difference.total);
    const l2 = Math.sqrt(this.#squares.total);
    const otherL2 = Math.sqrt(this.#otherSquares.total);
    const cosine = this.#products.total / (l2 * otherL2);
    return {
      deltaL2: none ? null : finiteOrNull(deltaL2),
      relative: none ? null : finiteOrNull(deltaL2 / otherL2),
      // Clamped, as rounding may push it past ±1.
      cosine: none ? null : finiteOrNull(Math.min(1, Math.max(-1, cosine))),
      signFlips: this.#signFlips,
      maxAbsDelta: none ? null : finiteOrNull(Math.max(-this.#minDelta, this.#maxDelta)),
    };
  }

  /** Smallest and largest difference; null where there is none. */
  range(): Range | null {
    return this.#finite > 0 ? { min: this.#minDelta, max: this.#maxDelta } : null;
  }
}
