import { type CheckpointTensor, readTensor } from "../checkpoint/checkpoint.ts";
import { computedTensor } from "../checkpoint/computedTensor.ts";
import type { MixtureExpert } from "../contract/index.ts";
import { toF64 } from "../core/tensor/convert.ts";
import { byteLength } from "../core/tensor/dtype.ts";
import { type DrawKey, drawKey } from "../merge/methods/taskVectors/philox.ts";
import { normalDraws } from "./draws.ts";

/**
 * A tensor of an expert with the expert's noise added, w + scale · N(0, 1), and times its residual scale
 * where it is an output matrix; rounded to the tensor's dtype, as mergekit does before it writes
 * another.
 */
export function expertTensor(
  tensor: CheckpointTensor,
  { noiseScale = 0, residualScale = 1 }: MixtureExpert,
  options: { readonly isOutput: boolean; readonly seed: number; readonly place: string },
): CheckpointTensor {
  const factor = Math.fround(options.isOutput ? residualScale : 1); // torch's scalars are float32
  if (noiseScale === 0 && factor === 1) return tensor;
  const key: DrawKey = drawKey(options.seed, tensor.name, options.place);
  return computedTensor(tensor, async (first, count) => {
    const start = byteLength(tensor.dtype, first);
    const length = byteLength(tensor.dtype, first + count) - start;
    const values = toF64(await readTensor(tensor, start, length), tensor.dtype);
    const noise = noiseScale === 0 ? null : normalDraws(key, first, count);
    return values.map((value, i) => (value + noiseScale * (noise?.[i] ?? 0)) * factor);
  });
}
