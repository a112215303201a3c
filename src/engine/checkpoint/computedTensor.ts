import type { OutputDType } from "../contract/index.ts";
import type { ByteSource } from "../core/bytes.ts";
import { fromF32 } from "../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../core/tensor/dtype.ts";
import type { CheckpointTensor } from "./checkpoint.ts";

/**
 * Bytes of `elementCount` values that are computed as they are read; `values` gives those of
 * [first, first + count). Memory is that of the range read.
 */
export function computedSource(
  elementCount: number,
  dtype: OutputDType,
  values: (first: number, count: number) => Promise<Float32Array<ArrayBuffer>>,
): ByteSource {
  const width = byteLength(dtype, 1);
  return {
    byteLength: elementCount * width,
    async read(start, length) {
      const first = Math.floor(start / width);
      const end = Math.ceil((start + length) / width);
      const bytes = fromF32(await values(first, end - first), dtype);
      // The returned array is the caller's own and aligned: a range within an element is copied.
      return bytes.byteLength === length
        ? bytes
        : bytes.slice(start - first * width, start - first * width + length);
    },
  };
}

/**
 * The tensor with other values, in its own dtype; F64 and F8 become F32. The values are rounded from
 * float64 to float32, and from there to the dtype.
 */
export function computedTensor(
  tensor: CheckpointTensor,
  values: (first: number, count: number) => Promise<Float64Array>,
): CheckpointTensor {
  const dtype = isOutputDType(tensor.dtype) ? tensor.dtype : "F32";
  const source = computedSource(tensor.elementCount, dtype, async (first, count) =>
    Float32Array.from(await values(first, count)),
  );
  return { ...tensor, dtype, byteLength: source.byteLength, source, start: 0 };
}
