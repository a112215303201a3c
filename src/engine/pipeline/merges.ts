import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { OutputDType, PipelineMerge, Recipe, TrainingSettings } from "../contract/index.ts";
import { isOutputDType } from "../core/tensor/dtype.ts";
import { stateProfile } from "../merge/recipe/profiles.ts";

const GRANULARITIES = ["model", "layer", "module", "matrix", "parameter"] as const;

/**
 * The merges that FuseChat compares (arXiv 2402.16107, Table 1 and Figure 4; SCE from 2408.07990), for
 * so many targets: VaRM at each granularity, and the others with the papers' densities. SLERP takes
 * two.
 */
export function defaultMerges(targets: number): readonly PipelineMerge[] {
  const share = 1 / Math.max(1, targets);
  const none = { parameters: {}, perModel: {} };
  return [
    { ...none, name: "linear", method: "linear", perModel: { weight: 1 } },
    ...(targets === 2 ? [{ ...none, name: "slerp", method: "slerp", parameters: { t: 0.5 } }] : []),
    { ...none, name: "task-arithmetic", method: "task_arithmetic", perModel: { weight: share } },
    { ...none, name: "ties", method: "ties", perModel: { weight: 1, density: 0.5 } },
    { ...none, name: "dare", method: "dare_linear", perModel: { weight: share, density: 0.5 } },
    { ...none, name: "sce", method: "sce", parameters: { select_topk: 0.1 } },
    ...GRANULARITIES.map((granularity) => ({
      ...none,
      name: `varm-${granularity}`,
      method: "varm",
      parameters: { granularity },
    })),
  ];
}

/** Dtype of a merge: the training's, by default that of most of the pivot's weights. */
export function mergeDType(
  { dtype }: Pick<TrainingSettings, "dtype">,
  pivot: Checkpoint,
): OutputDType {
  if (dtype) return dtype;
  const counts = new Map<OutputDType, number>();
  for (const { dtype: stored, shape } of pivot.tensors.values()) {
    if (!isOutputDType(stored)) continue;
    const values = shape.reduce((product, axis) => product * axis, 1);
    counts.set(stored, (counts.get(stored) ?? 0) + values);
  }
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  return most?.[0] ?? "F32";
}

/**
 * A merge of targets as a recipe. SLERP walks from the first target, not from the pivot: the published
 * configuration names a base that is not among its models, which mergekit refuses. FuseChat's merges
 * are the papers' where the merge says nothing else.
 */
export function recipeOf(
  { method, parameters, perModel }: PipelineMerge,
  pivot: string,
  targets: readonly string[],
  dtype: OutputDType,
): Recipe {
  const [first = "", ...others] = targets;
  const walks = method === "slerp";
  const names = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;
  const recipe: Recipe = {
    method,
    ...(method === "linear" ? {} : { base: walks ? first : pivot }),
    models: (walks ? others : targets).map((model) => ({ model, parameters: perModel })),
    parameters,
    dtype: "float32",
    outDtype: names[dtype],
  };
  return stateProfile(recipe, "paper");
}
