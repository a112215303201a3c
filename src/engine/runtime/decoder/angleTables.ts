import { invariant } from "../../core/invariant.ts";
import type { DecoderSpec, RopeSpec } from "../description/spec.ts";
import type { Angles } from "../kernels/kernels.ts";

/** Distinct ropes of a decoder's layers, in order. */
function ropesOf({ layers }: DecoderSpec): readonly RopeSpec[] {
  return [...new Set(layers.flatMap(({ attention: { rope } }) => (rope ? [rope] : [])))];
}

/** Values per token of all angle tables: a cosine and a sine for every pair of every rope. */
export function angleLength(spec: DecoderSpec): number {
  return ropesOf(spec).reduce((sum, { pairs }) => sum + 2 * pairs, 0);
}

/**
 * Angle tables of a decoder's ropes in one buffer, one after the other, each with room for `rows`.
 */
export class AngleTables {
  readonly #buffer: GPUBuffer;
  readonly #firsts = new Map<RopeSpec, number>();

  /** `buffer` holds `angleLength(spec)` values a row; without rotation any buffer will do. */
  constructor(buffer: GPUBuffer, spec: DecoderSpec, rows: number) {
    this.#buffer = buffer;
    let first = 0;
    for (const rope of ropesOf(spec)) {
      this.#firsts.set(rope, first);
      first += rows * rope.pairs;
    }
  }

  /** Angle table of a layer; layers without rotation never read theirs. */
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
