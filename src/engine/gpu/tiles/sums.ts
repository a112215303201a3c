import { rowsOf, type TileRange } from "./tileInput.ts";
import { BLOCK_ELEMENTS, BLOCK_ROWS } from "./tiling.ts";

/** Sums in a row of a reduce rule's result. */
const SUMS = 4;

/** Partial sums of a tile, as shaders/harness/{blockwise,columnwise}.wgsl write them. */
export function countPartials(tile: TileRange, sumRows: number): number {
  const { rows, padded } = rowsOf(tile);
  if (tile.layout.part === "column") {
    return Math.ceil(rows / BLOCK_ROWS) * padded * sumRows * SUMS;
  }
  return rows * Math.ceil(padded / BLOCK_ELEMENTS) * sumRows * SUMS;
}

/** Adds a tile's partial sums to its tensor's, `[part][row of sums][4]`, in float64. */
export function addPartials(
  sums: Float64Array,
  tile: TileRange,
  sumRows: number,
  partials: Float32Array | Float64Array,
): void {
  const { part } = tile.layout;
  const { firstRow, firstColumn, rows, length, padded } = rowsOf(tile);
  const each = sumRows * SUMS;
  const add = (to: number, from: number) => {
    for (let k = 0; k < each; k++) sums[to * each + k]! += partials[from * each + k]!;
  };
  if (part === "column") {
    for (let block = 0; block < Math.ceil(rows / BLOCK_ROWS); block++) {
      for (let i = 0; i < length; i++) add(firstColumn + i, block * padded + i);
    }
    return;
  }
  const blocks = Math.ceil(padded / BLOCK_ELEMENTS);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) add(part === "row" ? firstRow + row : 0, row * blocks + b);
  }
}
