import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { rowLength } from "../../checkpoint/views/gatherRows.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";

type Values = Float32Array<ArrayBuffer>;

/** Rows [first, first + count) of a tensor as float32. */
export async function readRows(
  tensor: CheckpointTensor,
  first: number,
  count: number,
): Promise<Values> {
  const rowBytes = byteLength(tensor.dtype, rowLength(tensor));
  const stored = await readTensor(tensor, first * rowBytes, count * rowBytes);
  return toF32(stored, tensor.dtype);
}

/** Column of the first NaN or infinity of each of some rows; -1 where a row holds numbers only. */
export function findNonfinite(values: Values, length: number): readonly number[] {
  return Array.from({ length: values.length / length }, (_, row) =>
    values.subarray(row * length, (row + 1) * length).findIndex((each) => !Number.isFinite(each)),
  );
}

/** A row from the first of the tensors that holds numbers in it; null where none does. */
async function readNumbers(
  row: number,
  others: readonly CheckpointTensor[],
): Promise<Values | null> {
  for (const other of others) {
    if (row >= other.shape[0]!) continue;
    const values = await readRows(other, row, 1);
    if (values.every(Number.isFinite)) return values;
  }
  return null;
}

/**
 * The tensor, read with the row of the first of `others` that holds numbers wherever a row of its
 * own holds NaN or infinity. Rows are equally long in all; a row that none has stays as it is. F64
 * and F8, which a merge converts anyway, become F32.
 */
export function fillRows(
  tensor: CheckpointTensor,
  others: readonly CheckpointTensor[],
): CheckpointTensor {
  const length = rowLength(tensor);
  if (length === 0) return tensor;
  const dtype = isOutputDType(tensor.dtype) ? tensor.dtype : "F32";
  const rowBytes = byteLength(dtype, length);
  const read = async (start: number, count: number): Promise<Uint8Array<ArrayBuffer>> => {
    // Whole rows, so that a tile's edge does not decide whether a row is filled.
    const first = Math.floor(start / rowBytes);
    const end = Math.ceil((start + count) / rowBytes);
    const values = await readRows(tensor, first, end - first);
    for (const [row, column] of findNonfinite(values, length).entries()) {
      const numbers = column < 0 ? null : await readNumbers(first + row, others);
      if (numbers) values.set(numbers, row * length);
    }
    const from = start - first * rowBytes;
    return new Uint8Array(fromF32(values, dtype).slice(from, from + count));
  };
  const bytes = byteLength(dtype, tensor.elementCount);
  return { ...tensor, dtype, byteLength: bytes, start: 0, source: { byteLength: bytes, read } };
}
