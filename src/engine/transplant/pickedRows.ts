import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { gatherRows, rowLength } from "../checkpoint/views/gatherRows.ts";
import { toF32 } from "../core/tensor/convert.ts";

/** Bytes of rows that stay in memory: the same few tokens stand for many others. */
const KEPT_BYTES = 128 * 2 ** 20;

/** Some rows of a matrix, by their places in a list; those used last stay in memory. */
export class PickedRows {
  readonly tensor: CheckpointTensor;
  readonly ids: Int32Array;
  readonly length: number;
  readonly #kept = new Map<number, Float32Array>();

  constructor(tensor: CheckpointTensor, ids: Int32Array) {
    this.tensor = tensor;
    this.ids = ids;
    this.length = rowLength(tensor);
  }

  /** Values of the rows at these places of the list. */
  async read(places: Iterable<number>): Promise<ReadonlyMap<number, Float32Array>> {
    const found = new Map<number, Float32Array>();
    const missing: number[] = [];
    for (const place of new Set(places)) {
      const kept = this.#kept.get(place);
      if (kept) found.set(place, kept);
      else missing.push(place);
    }
    const moves = missing.map((place) => ({ from: this.ids[place]!, to: place }));
    await gatherRows(this.tensor, moves, "F32", (row, place) => {
      found.set(place, toF32(row.slice(), "F32"));
    });
    for (const [place, row] of found) {
      this.#kept.delete(place);
      this.#kept.set(place, row);
    }
    for (const [oldest] of this.#kept) {
      if (this.#kept.size * this.length * 4 <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
    }
    return found;
  }
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
