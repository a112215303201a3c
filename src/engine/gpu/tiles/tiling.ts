import { invariant } from "../../core/invariant.ts";

/**
 * Elements of a reduction's fixed blocks (shaders/harness/blockwise.wgsl). Tiles begin on block
 * edges, so that tiling cannot change a sum.
 */
export const BLOCK_ELEMENTS = 2048;

/** Tiles in flight at least: one being read, one on the GPU, one being written. */
export const TILE_SLOTS = 3;

/**
 * Largest tile in elements: the overhead of a dispatch is negligible by then. With four times as
 * many a merge took a quarter more processor time (fresh pages, colder caches) and twice the
 * memory.
 */
const MAX_TILE_ELEMENTS = 2 ** 20;

/** Rows of the fixed blocks of sums over columns (shaders/harness/columnwise.wgsl). */
export const BLOCK_ROWS = 16;

/**
 * Largest number of rows in a tile: each is a workgroup, of which a dispatch has at most 65,535.
 */
const MAX_TILE_ROWS = 2 ** 15;

/** Unit of sums and decisions: a whole tensor, each row, or each column. */
export type Part = "tensor" | "row" | "column";

/**
 * A tensor as rows, which tiles keep whole where they fit. For "tensor" all rows are of one part, as a
 * rule a single row.
 */
export interface Layout {
  readonly part: Part;
  readonly rows: number;
  /** Elements of a row. */
  readonly rowLength: number;
}

/** Layout of a tensor taken as a whole. */
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

/** Lines of a tensor, along one of its axes, and the rows that hold them whole. */
export interface Lines {
  /** Rows, all of one part. */
  readonly layout: Layout;
  /** Elements of a line, and the distance between them within a row. */
  readonly length: number;
  readonly stride: number;
}

/** Lines along the last axis of a tensor or, where it has several, along the second. */
export function findLines(shape: readonly number[], along: "last" | "second"): Lines {
  const count = (axes: readonly number[]) => axes.reduce((product, axis) => product * axis, 1);
  const axis = along === "second" && shape.length > 1 ? 1 : Math.max(0, shape.length - 1);
  const [rows, length, stride] = [
    count(shape.slice(0, axis)),
    shape[axis] ?? 1,
    count(shape.slice(axis + 1)),
  ];
  return { layout: { part: "tensor", rows, rowLength: length * stride }, length, stride };
}

/** Number of parts with sums and a decision of their own. */
export function countParts({ part, rows, rowLength }: Layout): number {
  if (part === "tensor") return 1;
  return part === "row" ? rows : rowLength;
}

/** Elements of a row on the GPU, padded to whole quads. */
export const paddedRow = (rowLength: number) => Math.ceil(rowLength / 4) * 4;

/** A range of a tensor, in elements. */
export interface Tile {
  readonly first: number;
  readonly count: number;
}

/** Memory that tiles need, in bytes per element, padding included. */
export interface TileNeeds {
  /** Stored elements of all sources. */
  readonly readBytesPerElement: number;
  readonly writeBytesPerElement: number;
  /** Partial sums of a reduction. */
  readonly sumBytesPerElement: number;
  /** Room that is needed while values are derived. */
  readonly scratchBytesPerElement: number;
  /** The sums of single lanes, where they are joined in a pass of their own. */
  readonly laneBytesPerElement: number;
  /** Constants where every row or column has its own. */
  readonly constantBytesPerElement: number;
  /** Base and models. */
  readonly segments: number;
  /** Elements of the longest tensor. */
  readonly longest: number;
  /** Smallest tile whatever the budget: a block of rows, for sums over columns. */
  readonly leastElements: number;
  readonly budgetBytes: number;
  /** The smaller of the device's binding and buffer limits. */
  readonly bindingBytes: number;
}

/** Bytes of GPU memory per element of a slot's tile. */
export function slotBytesPerElement(needs: TileNeeds): number {
  // What is read back exists on the GPU and once more in a readback buffer.
  const read = Math.max(needs.writeBytesPerElement, needs.sumBytesPerElement);
  const written = read + Math.max(read, needs.laneBytesPerElement);
  const { readBytesPerElement, constantBytesPerElement, scratchBytesPerElement } = needs;
  return readBytesPerElement + constantBytesPerElement + scratchBytesPerElement + written;
}

/**
 * Most slots at once: tiles of one tensor, or of several, that stay on the GPU while they are worked
 * on. They take at most half of the budget.
 */
export function chooseSlots(needs: TileNeeds, tileElements: number): number {
  const slotBytes = slotBytesPerElement(needs) * tileElements;
  return Math.max(TILE_SLOTS, Math.floor(needs.budgetBytes / 2 / slotBytes));
}

/** Elements of a tile: the most that budget and limits allow, in whole blocks. */
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

/** Elements rounded up to whole blocks. */
export const wholeBlocks = (elements: number) =>
  Math.ceil(elements / BLOCK_ELEMENTS) * BLOCK_ELEMENTS;

/** Number of tiles of a tensor. */
export const countTiles = (layout: Layout, tileElements: number) =>
  [...cutTiles(layout, tileElements)].length;

/**
 * Tiles of a tensor, starting with the one that holds element `from`: whole rows, for columns in
 * whole blocks of rows; too long rows are cut on block edges.
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
