import { addPartials } from "../../gpu/tiles/sums.ts";
import type { TileRange } from "../../gpu/tiles/tileInput.ts";
import type { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import { countParts } from "../../gpu/tiles/tiling.ts";
import type { Facts } from "../method.ts";
import type { TensorRule } from "./rules.ts";

/** Partial sums over blocks, as `addPartials` takes them. */
export type Partials = Float32Array | Float64Array;

/** Sums in a row. */
const SUMS = 4;

/**
 * Unit of tiny changes: the square of the smallest normal float32, in this unit, stays far from
 * underflow. Only squares below `VANISHING` are summed in it, so they do not overflow.
 */
const SMALL_UNIT = 2 ** 96;
const VANISHING = 2 ** -90;

/**
 * Partial sums of a rule over the tile that a slot holds. Blocks whose squares come close to underflow are summed again
 * in a smaller unit, so that elements that changed have a nonzero magnitude.
 */
export async function sumTile(slot: TileSlot, rule: TensorRule): Promise<Partials> {
  const plain = await slot.reduce(rule);
  const { powers } = rule;
  if (!powers) return plain;
  const count = powers.indexOf(0);
  const square = powers.indexOf(2);
  const vanishes = (at: number) => plain[at + count]! > 0 && plain[at + square]! < VANISHING;
  const starts = Array.from({ length: plain.length / SUMS }, (_, i) => SUMS * i).filter(vanishes);
  if (starts.length === 0) return plain;
  const small = await slot.reduce(rule, SMALL_UNIT);
  const exact = Float64Array.from(plain);
  for (const at of starts) {
    for (let k = 0; k < SUMS; k++) exact[at + k] = small[at + k]! / SMALL_UNIT ** powers[k]!;
  }
  return exact;
}

/** Sums of a tensor's parts, accumulated tile by tile in order. */
export class Sums {
  readonly #sums: Float64Array;
  readonly #rows: number;

  constructor(layout: TileRange["layout"], rows: number) {
    this.#rows = rows;
    this.#sums = new Float64Array(countParts(layout) * rows * SUMS);
  }

  add(tile: TileRange, partials: Partials): void {
    addPartials(this.#sums, tile, this.#rows, partials);
  }

  /** Rows of sums of one part. */
  factsOf(part: number): readonly Facts[] {
    return Array.from({ length: this.#rows }, (_, row): Facts => {
      const at = (part * this.#rows + row) * SUMS;
      return [this.#sums[at]!, this.#sums[at + 1]!, this.#sums[at + 2]!, this.#sums[at + 3]!];
    });
  }
}
