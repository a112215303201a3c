import { invariant } from "../../core/invariant.ts";

/**
 * Reductions sum fixed blocks of this many elements (shaders/harness/blockwise.wgsl). Tiles begin on
 * block edges, so that the cut never shows in a result.
 */
export const BLOCK_ELEMENTS = 2048;

/** Tiles under way at once: one being read, one on the GPU, one being written. */
export const TILE_SLOTS = 3;

/**
 * Larger tiles gain nothing: a dispatch is long paid for by then. With four times as many elements a
 * merge took a quarter more processor time (fresh pages, colder caches) and twice the memory.
 */
const MAX_TILE_ELEMENTS = 2 ** 20;

/** Sums over columns add up fixed blocks of this many rows (shaders/harness/columnwise.wgsl). */
export const BLOCK_ROWS = 16;

/** Each row of a tile is a workgroup of a sum by rows, of which a dispatch has at most 65,535. */
const MAX_TILE_ROWS = 2 ** 15;

/** What one set of sums, and one decision, is about: all of a tensor, each row, or each column. */
export type Part = "tensor" | "row" | "column";

/** A tensor as rows, which tiles keep whole where they fit. By "tensor" all of it is one row. */
export interface Layout {
  readonly part: Part;
  readonly rows: number;
  /** Elements of a row. */
  readonly rowLength: number;
}

/** A tensor taken as a whole. */
export function wholeTensor(elementCount: number): Layout {
  return { part: "tensor", rows: 1, rowLength: elementCount };
}

/**
 * A tensor of any rank as a matrix: rows run along its last axis, columns along its first. A vector is
 * a single row, and so its only column.
 */
export function layOut(shape: readonly number[], part: Part): Layout {
  const count = (axes: readonly number[]) => axes.reduce((product, axis) => product * axis, 1);
  if (part === "tensor") return wholeTensor(count(shape));
  if (part === "column" && shape.length > 1) {
    return { part, rows: shape[0]!, rowLength: count(shape.slice(1)) };
  }
  return { part: "row", rows: count(shape.slice(0, -1)), rowLength: shape.at(-1) ?? 1 };
}

/** How many parts have sums and a decision of their own. */
export function countParts({ part, rows, rowLength }: Layout): number {
  if (part === "tensor") return 1;
  return part === "row" ? rows : rowLength;
}

/** A row's elements on the GPU, where it is padded to whole quads. */
export const paddedRow = (rowLength: number) => Math.ceil(rowLength / 4) * 4;

/** A stretch of a tensor, in elements. */
export interface Tile {
  readonly first: number;
  readonly count: number;
}

/** What the tiles of a merge need at the most; bytes for each element of a tile, padding included. */
export interface TileNeeds {
  /** All models' stored elements at one place of the tensor. */
  readonly readBytesPerElement: number;
  readonly writeBytesPerElement: number;
  /** Partial sums of a reduction. */
  readonly sumBytesPerElement: number;
  /** Constants where every row or column has its own. */
  readonly constantBytesPerElement: number;
  /** Base and models. */
  readonly segments: number;
  /** Elements of the longest tensor. */
  readonly longest: number;
  /** Elements that a tile must hold whatever the budget: a block of rows, for sums over columns. */
  readonly leastElements: number;
  readonly budgetBytes: number;
  /** The smaller of the device's binding and buffer limits. */
  readonly bindingBytes: number;
}

/** Bytes of GPU memory that one slot takes for each element of its tile. */
export function slotBytesPerElement(needs: TileNeeds): number {
  // What is written lies on the GPU once and once more where the host reads it.
  const written = 2 * (needs.writeBytesPerElement + needs.sumBytesPerElement);
  return needs.readBytesPerElement + needs.constantBytesPerElement + written;
}

/** How many elements a tile holds: the most that budget and limits allow, on whole blocks. */
export function chooseTileElements(needs: TileNeeds): number {
  const most = Math.min(
    MAX_TILE_ELEMENTS,
    needs.budgetBytes / (TILE_SLOTS * slotBytesPerElement(needs)) - BLOCK_ELEMENTS,
    needs.bindingBytes / Math.max(needs.readBytesPerElement, 4),
    wholeBlocks(needs.longest),
  );
  const chosen = Math.max(1, Math.floor(most / BLOCK_ELEMENTS)) * BLOCK_ELEMENTS;
  return Math.max(chosen, wholeBlocks(needs.leastElements));
}

/** So many elements, up to whole blocks. */
export const wholeBlocks = (elements: number) =>
  Math.ceil(elements / BLOCK_ELEMENTS) * BLOCK_ELEMENTS;

/**
 * The tiles of a tensor from the one that holds element `from` on: whole rows, of columns in whole
 * blocks of rows; of a row that is too long, pieces that begin on block edges.
 */
export function* cutTiles(
  { part, rows, rowLength }: Layout,
  tileElements: number,
  from = 0,
): Generator<Tile, void, undefined> {
  const elementCount = rows * rowLength;
  if (elementCount === 0) return;
  const padded = paddedRow(rowLength);
  const fitting = Math.min(MAX_TILE_ROWS, Math.floor(tileElements / padded));
  const rowsAtOnce = part === "column" ? Math.floor(fitting / BLOCK_ROWS) * BLOCK_ROWS : fitting;
  const firstRow = Math.floor(from / rowLength);
  if (rowsAtOnce > 0) {
    const start = part === "column" ? firstRow - (firstRow % BLOCK_ROWS) : firstRow;
    for (let row = start; row < rows; row += rowsAtOnce) {
      yield { first: row * rowLength, count: Math.min(rowsAtOnce, rows - row) * rowLength };
    }
    return;
  }
  invariant(part !== "column", "a tile holds a block of rows");
  let column = Math.floor((from % rowLength) / BLOCK_ELEMENTS) * BLOCK_ELEMENTS;
  for (let row = firstRow; row < rows; row++) {
    for (; column < rowLength; column += tileElements) {
      const count = Math.min(tileElements, rowLength - column);
      yield { first: row * rowLength + column, count };
    }
    column = 0;
  }
}
