import { readTensor } from "../checkpoint/checkpoint.ts";
import { toF32 } from "../core/tensor/convert.ts";
import { byteLength } from "../core/tensor/dtype.ts";
import type { TensorPair } from "./plan.ts";

/** Elements compared at once. */
const TILE_ELEMENTS = 2 ** 20;

/** Whether two tensors differ in any value; of different dtypes they are compared as float32. */
export async function differs({ model, base }: TensorPair, signal: AbortSignal): Promise<boolean> {
  if (model.shape.join() !== base.shape.join()) return true;
  const same = model.dtype === base.dtype;
  for (let first = 0; first < model.elementCount; first += TILE_ELEMENTS) {
    signal.throwIfAborted();
    const count = Math.min(TILE_ELEMENTS, model.elementCount - first);
    const [mine, theirs] = await Promise.all(
      [model, base].map((tensor) =>
        readTensor(tensor, byteLength(tensor.dtype, first), byteLength(tensor.dtype, count)),
      ),
    );
    const [a, b] = same
      ? [mine!, theirs!]
      : [toF32(mine!, model.dtype), toF32(theirs!, base.dtype)];
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return true;
  }
  return false;
}
