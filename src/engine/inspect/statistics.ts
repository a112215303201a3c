import type { TensorStatistics } from "../contract/index.ts";

/** A compensated sum (Neumaier): off by a few ulp however long. */
export class Sum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const next = this.#sum + value;
    this.#lost +=
      Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - next + value : value - next + this.#sum;
    this.#sum = next;
  }

  get total(): number {
    // Past the largest float64 the correction is Inf - Inf; the plain sum still says Infinity.
    return Number.isFinite(this.#lost) ? this.#sum + this.#lost : this.#sum;
  }
}

/** Elements summed plainly, off by at most 4,096 ulp of the sum, before a compensated sum takes over. */
export const BLOCK = 4096;

/** Infinity and NaN as null, since JSON has neither. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/**
 * Statistics of one tensor, gathered chunk by chunk in float64. NaN and infinities are counted and
 * left out of everything else; `std` is the population's.
 */
export class StatisticsGatherer {
  #count = 0;
  #zeros = 0;
  #nan = 0;
  #inf = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  readonly #sum = new Sum();
  readonly #absolute = new Sum();
  readonly #squares = new Sum();
  #finite = 0;
  #mean = 0;
  /** Σ (x - mean)², combined over blocks as Chan, Golub and LeVeque (1979) do. */
  readonly #deviations = new Sum();

  add(values: Float64Array): void {
    for (let start = 0; start < values.length; start += BLOCK) {
      this.#addBlock(values.subarray(start, start + BLOCK));
    }
  }

  #addBlock(values: Float64Array): void {
    let finite = 0;
    let sum = 0;
    let absolute = 0;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) {
        if (Number.isNaN(value)) this.#nan++;
        else this.#inf++;
        continue;
      }
      finite++;
      if (value === 0) this.#zeros++;
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      sum += value;
      absolute += Math.abs(value);
      squares += value * value;
    }
    this.#count += values.length;
    if (finite === 0) return;
    this.#sum.add(sum);
    this.#absolute.add(absolute);
    this.#squares.add(squares);

    const mean = sum / finite;
    let deviations = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (Number.isFinite(value)) deviations += (value - mean) * (value - mean);
    }
    const all = this.#finite + finite;
    const shift = mean - this.#mean;
    this.#deviations.add(deviations + shift * shift * ((this.#finite * finite) / all));
    this.#mean += (shift * finite) / all;
    this.#finite = all;
  }

  result(): TensorStatistics {
    const none = this.#finite === 0;
    const value = (number: number) => (none ? null : finiteOrNull(number));
    return {
      count: this.#count,
      mean: value(this.#sum.total / this.#finite),
      std: value(Math.sqrt(this.#deviations.total / this.#finite)),
      min: value(this.#min),
      max: value(this.#max),
      absMax: value(Math.max(Math.abs(this.#min), Math.abs(this.#max))),
      l1: value(this.#absolute.total),
      l2: value(Math.sqrt(this.#squares.total)),
      zeros: this.#zeros,
      nan: this.#nan,
      inf: this.#inf,
    };
  }
}
