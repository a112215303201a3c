import type { OutputDType } from "../../contract/index.ts";

/**
 * How a weight lies where it is read or kept: in a tile on its way through a merge, or as a matrix of
 * a running model. Elements lie in blocks, one block after the other; a format that quantises stores
 * a block's scale with it.
 */
export interface WeightFormat {
  /** What tables and messages call it. */
  readonly name: string;
  /** What shaders switch on: `STORED` in shaders/lib/tile.wgsl and shaders/nn/weights_dtype.wgsl. */
  readonly code: number;
  /** Bits of an element, its share of what a block stores besides included. */
  readonly bits: number;
  /** Elements that are stored together; 1 where each stands alone. */
  readonly block: number;
}

/** The formats in which every element is a float of its own: those that can be written, too. */
export const PLAIN_FORMATS = {
  F32: { name: "F32", code: 0, bits: 32, block: 1 },
  BF16: { name: "BF16", code: 1, bits: 16, block: 1 },
  F16: { name: "F16", code: 2, bits: 16, block: 1 },
} as const satisfies Readonly<Record<OutputDType, WeightFormat>>;

/** Bytes that so many elements take, the last block whole. */
export function formatBytes({ bits, block }: WeightFormat, elements: number): number {
  return (Math.ceil(elements / block) * block * bits) / 8;
}
