import type { ByteSource } from "../../core/bytes.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { type CheckpointTensor, readTensor } from "../checkpoint.ts";
import { computedSource } from "../computedTensor.ts";
import type { ScaleBlocks } from "./scaleBlocks.ts";

/** An 8-bit weight and its scales, as located in the files. */
export interface ScaledWeight {
  readonly codes: CheckpointTensor;
  readonly scale: CheckpointTensor;
  readonly blocks: ScaleBlocks;
}

/**
 * The bytes of the dequantised weight, W[i] = code[i] · scale[block of i], multiplied in float64 and
 * rounded once to float32, or further to bfloat16. A read takes the codes and scales of its own range,
 * so memory is that of the range, whatever the weight's size.
 */
export function openScaled(weight: ScaledWeight, dtype: "F32" | "BF16"): ByteSource {
  return computedSource(weight.codes.elementCount, dtype, (first, count) =>
    readScaled(weight, first, count),
  );
}

/** Elements [first, first + count) as float32. */
async function readScaled(
  { codes, scale, blocks }: ScaledWeight,
  first: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  if (count === 0) return new Float32Array();
  const values = toF32(await readTensor(codes, first, count), codes.dtype);
  const columns = codes.shape.at(-1) ?? 1;
  const block = blocks.size.at(-1) ?? 1;
  const firstRow = Math.floor(first / columns);
  const lastRow = Math.floor((first + count - 1) / columns);
  const rowScale = rowScales(codes.shape, blocks);
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (let row = firstRow; row <= lastRow; row++) {
    const at = rowScale(row);
    low = Math.min(low, at);
    high = Math.max(high, at);
  }
  const scales = await readScales(scale, low, high + (blocks.count.at(-1) ?? 1) - low);
  for (let i = 0; i < count; ) {
    const row = Math.floor((first + i) / columns);
    const column = first + i - row * columns;
    const index = Math.floor(column / block);
    const factor = scales[rowScale(row) - low + index]!;
    const end = Math.min(count, i + Math.min((index + 1) * block, columns) - column);
    for (; i < end; i++) values[i] = values[i]! * factor;
  }
  return values;
}

/** Index of a row's first scale; rows are counted over all axes but the last. */
function rowScales(shape: readonly number[], { size, count }: ScaleBlocks) {
  const last = shape.length - 1;
  return (row: number): number => {
    let place = 0;
    let stride = count[last] ?? 1;
    let rest = row;
    for (let axis = last - 1; axis >= 0; axis--) {
      const length = shape[axis]!;
      const at = rest % length;
      rest = Math.floor(rest / length);
      place += Math.floor(at / size[axis]!) * stride;
      stride *= count[axis]!;
    }
    return place;
  };
}

async function readScales(scale: CheckpointTensor, first: number, count: number) {
  const start = byteLength(scale.dtype, first);
  const bytes = await readTensor(scale, start, byteLength(scale.dtype, first + count) - start);
  return toF32(bytes, scale.dtype);
}
