import { invariant } from "../../core/invariant.ts";
import type { DecoderSpec, RopeSpec } from "../description/spec.ts";
import type { Angles } from "../kernels/kernels.ts";

/** The different ropes of a decoder's layers, in order. */
function ropesOf({ layers }: DecoderSpec): readonly RopeSpec[] {
  return [...new Set(layers.flatMap(({ attention: { rope } }) => (rope ? [rope] : [])))];
}

/** Values per token of all tables of angles: a cosine and a sine for every pair of every rope. */
export function angleLength(spec: DecoderSpec): number {
  return ropesOf(spec).reduce((sum, { pairs }) => sum + 2 * pairs, 0);
}

/** The tables of a decoder's ropes in one buffer, one after the other, each with room for `rows`. */
export class AngleTables {
  readonly #buffer: GPUBuffer;
  readonly #firsts = new Map<RopeSpec, number>();

  /** Holds `angleLength(spec)` values a row; where no layer rotates, any buffer will do. */
  constructor(buffer: GPUBuffer, spec: DecoderSpec, rows: number) {
    this.#buffer = buffer;
    let first = 0;
    for (const rope of ropesOf(spec)) {
      this.#firsts.set(rope, first);
      first += rows * rope.pairs;
    }
  }

  /** Where a layer's table is; a layer that does not rotate reads none. */
  of(rope: RopeSpec | null): Angles {
    if (!rope) return { buffer: this.#buffer, first: 0 };
    const first = this.#firsts.get(rope);
    invariant(first !== undefined, "a rope has its table");
    return { buffer: this.#buffer, first };
  }

  /** Writes every table; `make` gives the `[rows][pairs]` pairs (cos, sin) of one rope. */
  write(queue: GPUQueue, make: (rope: RopeSpec) => Float32Array<ArrayBuffer>): void {
    for (const [rope, first] of this.#firsts) {
      queue.writeBuffer(this.#buffer, 8 * first, make(rope));
    }
  }
}
