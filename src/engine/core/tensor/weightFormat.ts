import type { OutputDType } from "../../contract/index.ts";

/**
 * Storage format of a weight in a merge's tile or a running model's matrix. Elements are stored in
 * blocks; a format that quantises stores a scale with each block.
 */
export interface WeightFormat {
  /** Name in tables and messages. */
  readonly name: string;
  /**
   * Code that shaders switch on: `STORED` in shaders/lib/tile.wgsl and
   * shaders/nn/weights_dtype.wgsl.
   */
  readonly code: number;
  /** Bits of an element, with its share of the block's scale. */
  readonly bits: number;
  /** Elements in a block; 1 without blocks. */
  readonly block: number;
}

/** Formats in which every element is a float by itself; these can also be written. */
export const PLAIN_FORMATS = {
  F32: { name: "F32", code: 0, bits: 32, block: 1 },
  BF16: { name: "BF16", code: 1, bits: 16, block: 1 },
  F16: { name: "F16", code: 2, bits: 16, block: 1 },
} as const satisfies Readonly<Record<OutputDType, WeightFormat>>;

/** Bytes of so many elements, the last block whole. */
export function formatBytes({ bits, block }: WeightFormat, elements: number): number {
  return (Math.ceil(elements / block) * block * bits) / 8;
}
