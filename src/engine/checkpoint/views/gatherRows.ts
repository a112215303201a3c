import type { OutputDType } from "../../contract/index.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { type CheckpointTensor, readTensor } from "../checkpoint.ts";

/** A row of a tensor, and the row of the result that it becomes. */
export interface RowMove {
  readonly from: number;
  readonly to: number;
}

/** Bytes between two wanted rows that are read along: what a read costs beside its bytes. */
const GAP_BYTES = 16 * 2 ** 10;
/** Bytes read at once. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Elements of a row of a tensor whose first axis counts tokens. */
export const rowLength = ({ shape }: Pick<CheckpointTensor, "shape">): number =>
  shape.slice(1).reduce((product, axis) => product * axis, 1);

/**
 * Ranges of rows that are read at once: neighbours and rows a small gap apart, in the order of the
 * file. Read are at most the wanted rows and 16 KiB a row beside them.
 */
export function readRanges(
  moves: readonly RowMove[],
  rowBytes: number,
): readonly (readonly RowMove[])[] {
  const ranges: RowMove[][] = [];
  let first = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const move of moves.toSorted((a, b) => a.from - b.from)) {
    const near = (move.from - last - 1) * rowBytes <= GAP_BYTES;
    const fits = (move.from + 1 - first) * rowBytes <= PIECE_BYTES;
    if (near && fits) ranges.at(-1)!.push(move);
    else {
      ranges.push([move]);
      first = move.from;
    }
    last = move.from;
  }
  return ranges;
}

/**
 * Reads rows of a tensor and gives each, in the wanted dtype, to `put`. Bytes are passed on as they
 * are where the dtype is the tensor's own.
 */
export async function gatherRows(
  tensor: CheckpointTensor,
  moves: readonly RowMove[],
  dtype: OutputDType,
  put: (row: Uint8Array, to: number) => void,
): Promise<void> {
  const elements = rowLength(tensor);
  const stored = byteLength(tensor.dtype, elements);
  const wanted = byteLength(dtype, elements);
  for (const range of readRanges(moves, stored)) {
    const first = range[0]!.from;
    const end = range.at(-1)!.from + 1;
    const bytes = await readTensor(tensor, first * stored, (end - first) * stored);
    const rows = tensor.dtype === dtype ? bytes : fromF32(toF32(bytes, tensor.dtype), dtype);
    for (const { from, to } of range) {
      put(rows.subarray((from - first) * wanted, (from - first + 1) * wanted), to);
    }
  }
}
