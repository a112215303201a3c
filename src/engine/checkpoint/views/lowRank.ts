import { toF64 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { type CheckpointTensor, readTensor } from "../checkpoint.ts";

/** Bytes of factors that stay in memory, over all adapters; those of the tile at hand always do. */
const FACTOR_BYTES = 128 * 2 ** 20;

/** scale · left · right, added to a block of a matrix. */
export interface LowRankBlock {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
  readonly scale: number;
  /** `[rows, rank]`, row by row. */
  left(): Promise<Float64Array>;
  /** `[rank, columns]`, row by row. */
  right(): Promise<Float64Array>;
}

/**
 * Adds a block to values [first, first + values.length) of a matrix with `width` columns, in
 * float64: an error of at most (rank + 2) · 2^-53 · (|value| + Σ|scale·left·right|) an element.
 */
export function addLowRank(
  values: Float64Array,
  first: number,
  width: number,
  block: LowRankBlock,
  { left, right }: { readonly left: Float64Array; readonly right: Float64Array },
): void {
  const { rank, columns, scale } = block;
  for (const { row, from, to, at } of rowsWithin(first, values.length, width, block)) {
    const count = to - from;
    const factor = (k: number) => (k < rank ? scale * left[row * rank + k]! : 0);
    // Four terms at a time: a value is loaded and stored once for all of them.
    for (let k = 0; k < rank; k += 4) {
      const [a, b, c, d] = [factor(k), factor(k + 1), factor(k + 2), factor(k + 3)];
      const start = (term: number) => Math.min(term, rank - 1) * columns + from;
      const [ka, kb, kc, kd] = [start(k), start(k + 1), start(k + 2), start(k + 3)];
      for (let i = 0; i < count; i++) {
        values[at + i] =
          values[at + i]! +
          (a * right[ka + i]! + b * right[kb + i]! + c * right[kc + i]! + d * right[kd + i]!);
      }
    }
  }
}

/** Part of a block's row within a range of the matrix. */
interface RowPart {
  /** Row and columns [from, to) within the block. */
  readonly row: number;
  readonly from: number;
  readonly to: number;
  /** Place of the first value within the range. */
  readonly at: number;
}

/** Rows of a block within values [first, first + count) of a matrix with `width` columns. */
export function* rowsWithin(
  first: number,
  count: number,
  width: number,
  block: Pick<LowRankBlock, "row" | "column" | "rows" | "columns">,
): Generator<RowPart> {
  const lastRow = Math.min(block.row + block.rows, Math.ceil((first + count) / width));
  for (let row = Math.max(block.row, Math.floor(first / width)); row < lastRow; row++) {
    const begin = row * width;
    const from = Math.max(block.column, first - begin);
    const to = Math.min(block.column + block.columns, first + count - begin);
    if (from >= to) continue;
    yield {
      row: row - block.row,
      from: from - block.column,
      to: to - block.column,
      at: begin + from - first,
    };
  }
}

/** Values in memory by what they were made from, the ones used last at the end. */
const kept = new Map<object, { readonly bytes: number; readonly values: Promise<Float64Array> }>();
let keptBytes = 0;

/**
 * Values that stay in memory while they are among the last 128 MiB that were used: matrices are read
 * tile by tile, and each tile needs all of one factor.
 */
export function keepValues(
  key: object,
  count: number,
  make: () => Promise<Float64Array>,
): Promise<Float64Array> {
  const found = kept.get(key) ?? { bytes: 8 * count, values: make() };
  if (!kept.has(key)) {
    keptBytes += found.bytes;
    found.values.catch(() => forget(key));
  }
  kept.delete(key);
  kept.set(key, found);
  for (const [oldest] of kept) {
    if (keptBytes <= FACTOR_BYTES || oldest === key) break;
    forget(oldest);
  }
  return found.values;
}

function forget(key: object): void {
  keptBytes -= kept.get(key)?.bytes ?? 0;
  kept.delete(key);
}

/** All values of a small tensor. */
export function readFactor(tensor: CheckpointTensor): Promise<Float64Array> {
  const { dtype, elementCount } = tensor;
  return keepValues(tensor, elementCount, async () =>
    toF64(await readTensor(tensor, 0, byteLength(dtype, elementCount)), dtype),
  );
}

/** The transpose of a `[rows, columns]` matrix. */
export function transpose(values: Float64Array, rows: number, columns: number): Float64Array {
  const turned = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return turned;
}
