import { createMemoryTree } from "../../engine/base/memoryTree.ts";
import { EngineError, type Recipe } from "../../engine/contract/index.ts";
import type { GpuSource } from "../../engine/gpu/device.ts";
import { decideAll } from "../../engine/merge/decide.ts";
import { measure } from "../../engine/merge/measure.ts";
import { type Plan, planMerge } from "../../engine/merge/plan.ts";
import { findMethod } from "../../engine/merge/registry.ts";
import { runMerge } from "../../engine/merge/run.ts";
import {
  type Checkpoint,
  type CheckpointTensor,
  readTensor,
} from "../../engine/model/checkpoint.ts";
import { openCheckpoint } from "../../engine/model/open.ts";
import { toF64 } from "../../engine/tensor/convert.ts";

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
  source: GpuSource,
  signal: AbortSignal,
  shardBytes: number = 5e9,
): Promise<{ readonly plan: Plan; readonly result: Checkpoint }> {
  const find = (model: string): Checkpoint => {
    const found = checkpoints.get(model);
    if (!found) throw new EngineError("missing-file", `There is no model "${model}".`, { model });
    return found;
  };
  const plan = planMerge({
    method: findMethod(recipe.method),
    recipe,
    base: recipe.base === undefined ? null : find(recipe.base),
    models: recipe.models.map(({ model }) => find(model)),
    shardBytes,
    budget: { tileBytes: source.budgetBytes / 2, slots: 2 },
  });
  const refusal = plan.card.findings.find(({ severity }) => severity === "error");
  if (refusal) {
    throw new EngineError(refusal.code === "info" ? "mismatch" : refusal.code, refusal.message);
  }
  const decisions = decideAll(plan, await measure(plan, source, { signal }));
  const tree = createMemoryTree();
  await runMerge(plan, decisions, tree, source, { signal, sideFiles: new Map() });
  return { plan, result: await openCheckpoint(tree.files(), recipe.method) };
}
