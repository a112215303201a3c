import {
  type Checkpoint,
  type CheckpointTensor,
  readTensor,
} from "../../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../engine/checkpoint/open.ts";
import { EngineError, type Recipe } from "../../engine/contract/index.ts";
import { createMemoryTree } from "../../engine/core/memoryTree.ts";
import { toF64 } from "../../engine/core/tensor/convert.ts";
import type { GpuProvider } from "../../engine/gpu/device.ts";
import { prepareMerge } from "../../engine/merge/plan/prepare.ts";
import { mergeInto } from "../../engine/merge/run/merge.ts";

/** All values of a tensor in float64. For goldens, which are small. */
export async function readValues(tensor: CheckpointTensor): Promise<Float64Array> {
  return toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
}

/**
 * A whole merge as `studio merge` runs it, plan to files, but into memory; the result is opened from
 * its own files. Refusals are thrown, findings included.
 */
export async function mergeInMemory(
  recipe: Recipe,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  gpuProvider: GpuProvider,
  signal: AbortSignal,
  shardBytes: number = 5e9,
): Promise<Checkpoint> {
  const find = (model: string): Checkpoint => {
    const found = checkpoints.get(model);
    if (!found) throw new EngineError("missing-file", `There is no model "${model}".`, { model });
    return found;
  };
  const plan = await prepareMerge(recipe, {
    open: async (model) => find(model),
    shardBytes,
    budgetBytes: gpuProvider.budgetBytes,
  });
  const tree = createMemoryTree();
  await mergeInto(plan, tree, gpuProvider, { name: recipe.method, signal });
  return openCheckpoint(tree.files(), recipe.method);
}
