import type { OutputDType } from "../../contract/index.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { byteLength, mergeRole } from "../../core/tensor/dtype.ts";
import { type CheckpointTensor, readTensor } from "../checkpoint.ts";
import { computedSource } from "../computedTensor.ts";

/**
 * The tensor in another float dtype, rounded to nearest even as it is read; itself where it has that
 * dtype, or holds integers or booleans.
 */
export function castTensor(tensor: CheckpointTensor, dtype: OutputDType): CheckpointTensor {
  const role = mergeRole(tensor.dtype);
  if (tensor.dtype === dtype || (role !== "gpu" && role !== "convert")) return tensor;
  const { quantised: _, ...plain } = tensor;
  const source = computedSource(tensor.elementCount, dtype, async (first, count) => {
    const start = byteLength(tensor.dtype, first);
    const length = byteLength(tensor.dtype, first + count) - start;
    return toF32(await readTensor(tensor, start, length), tensor.dtype);
  });
  return { ...plain, dtype, byteLength: source.byteLength, source, start: 0 };
}
