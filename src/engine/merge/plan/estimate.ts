import type { MergePlan } from "../../contract/index.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import type { OutputTensor, TileBudget } from "./outputTensor.ts";

/** The GPU memory that tiles of these tensors take at most. */
export function estimatePeak(outputs: readonly OutputTensor[], budget: TileBudget): number {
  let largest = 0;
  for (const { action, base, models, elementCount } of outputs) {
    if (action === "copy") continue;
    const inputs = base ? [base, ...models] : models;
    // Read at most as float32; written once on the GPU and once where the host reads it.
    const bytes = inputs.length * 4 + 8;
    largest = Math.max(largest, bytes * elementCount);
  }
  return Math.min(largest, budget.tileBytes) * budget.slots;
}

/** All bytes that the merge reads, the passes of a method that reduces first counted twice. */
export function estimateReads(outputs: readonly OutputTensor[], passes: number): number {
  return outputs.reduce((sum, { action, copyFrom, base, models, elementCount, spare }) => {
    const inputs = base ? [base, ...models] : models;
    const bytes = inputs.reduce((total, input) => {
      return (
        total + (action === "merge" ? byteLength(input.dtype, elementCount) : input.byteLength)
      );
    }, 0);
    if (action === "merge") {
      const spareBytes = spare ? spare.byteLength - byteLength(spare.dtype, elementCount) : 0;
      return sum + passes * bytes + spareBytes;
    }
    return sum + bytes + (copyFrom?.byteLength ?? 0);
  }, 0);
}

/** What is read before a merge can be decided: all passes but the last, or one for the captions. */
export function bytesToMeasure({
  readBytes,
  passes,
}: Pick<MergePlan, "readBytes" | "passes">): number {
  return (readBytes / passes) * Math.max(1, passes - 1);
}
