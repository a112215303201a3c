import type { Histogram } from "../contract/index.ts";

/** Number of bins: enough for a shape, few enough for a small picture. */
const BINS = 64;

/** Counts finite values in equally wide bins over [from, to]; `to` itself falls into the last. */
export class HistogramGatherer {
  readonly #from: number;
  readonly #to: number;
  readonly #counts = new Array<number>(BINS).fill(0);

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  add(values: Float64Array): void {
    // Halved, since the width of the whole float64 range overflows.
    const width = this.#to / 2 - this.#from / 2;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!(value >= this.#from && value <= this.#to)) continue;
      const share = width > 0 ? (value / 2 - this.#from / 2) / width : 0;
      const bin = Math.min(BINS - 1, Math.floor(share * BINS));
      this.#counts[bin] = (this.#counts[bin] as number) + 1;
    }
  }

  result(): Histogram {
    return { from: this.#from, to: this.#to, counts: [...this.#counts] };
  }
}
