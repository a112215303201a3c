import { invariant } from "../base/invariant.ts";
import {
  type DType,
  type Finding,
  type MergePlan,
  modelKeys,
  type Recipe,
} from "../contract/index.ts";
import { planShards, type ShardPlan } from "../formats/shards.ts";
import type { Checkpoint, CheckpointTensor } from "../model/checkpoint.ts";
import { isOutputDType } from "../tensor/dtype.ts";
import { checkModels, checkTogether } from "./checkModels.ts";
import { compareCheckpoints } from "./compare.ts";
import { describeDTypes, outputDType } from "./dtypes.ts";
import { estimatePeak, estimateReads } from "./estimate.ts";
import { gatherTensor } from "./gather.ts";
import type { MergeMethod, Resolved, Values } from "./method.ts";
import { checkSettings, countedModels, resolveGlobal, resolveSettings } from "./resolve.ts";
import { SELECT_PASSES } from "./select.ts";
import {
  countLayers,
  countsTokens,
  finding,
  isHead,
  isTied,
  isTokenEmbedding,
  layerIndex,
  type Source,
  type Sources,
} from "./sources.ts";
import { STUDIO } from "./version.ts";

/** One tensor of the result, with everything that its bytes depend on. */
export interface OutputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Can be smaller than a source's: where rows are cut, the first ones count. */
  readonly elementCount: number;
  /** An `OutputDType` where the tensor is merged. */
  readonly dtype: DType;
  readonly action: "merge" | "copy";
  /** Copied: whose bytes. Where `models` is not empty, base and models must hold the same bytes. */
  readonly copyFrom: CheckpointTensor | null;
  readonly base: CheckpointTensor | null;
  readonly models: readonly CheckpointTensor[];
  /** Which of the plan's models these are: indices into `Plan.recipe.models` and `Plan.keys`. */
  readonly present: readonly number[];
  /** Of the present models only; empty where the tensor is copied. */
  readonly resolved: Resolved;
  /** Tensors with one unit are decided together. */
  readonly unit: string;
}

/** A merge, found out from headers alone. */
export interface Plan {
  readonly card: MergePlan;
  readonly method: MergeMethod;
  /** Without the base among its models, where the method works from a base. */
  readonly recipe: Recipe;
  readonly global: Values;
  /** The key of each of the recipe's models in results. */
  readonly keys: readonly string[];
  readonly outputs: readonly OutputTensor[];
  /** Config and tokenizer come from it: the base, else the first model. */
  readonly donor: Checkpoint;
  /** The checkpoint of each of the recipe's models. */
  readonly models: readonly Checkpoint[];
  /** What the result's config.json must say otherwise than the donor's. */
  readonly configChanges: { readonly vocabSize?: number; readonly tied?: false };
  readonly shards: ShardPlan;
}

export interface PlanRequest {
  readonly method: MergeMethod;
  readonly recipe: Recipe;
  /** The checkpoint of `recipe.base`; null where the recipe has none. */
  readonly base: Checkpoint | null;
  /** The checkpoint of each entry of `recipe.models`. */
  readonly models: readonly Checkpoint[];
  readonly shardBytes: number;
  /** Bytes of GPU memory that one tile's buffers may take, and how many are under way at once. */
  readonly budget: { readonly tileBytes: number; readonly slots: number };
  /** Measured on this machine, or null. */
  readonly bytesPerSecond?: number | null;
  /** What was found out elsewhere, e.g. from a sample of the weights. */
  readonly findings?: readonly Finding[];
}

const FINDING_LIMIT = 500;
const SEVERITY = { error: 0, warning: 1, note: 2 } as const;

/** The donor's tensors in its order, then everyone else's by name. */
function nameOutputs({ base, models, donor }: Sources): readonly string[] {
  const names = new Set(donor.checkpoint.tensors.keys());
  const others = [...(base ? [base] : []), ...models]
    .flatMap(({ checkpoint }) => [...checkpoint.tensors.keys()])
    .filter((name) => !names.has(name));
  return [...names, ...[...new Set(others)].sort()];
}

const NOTHING_RESOLVED: Resolved = { global: {}, models: [] };

/** Errors first; a bounded list, whose end says how many more there are. */
function arrangeFindings(findings: readonly Finding[]): readonly Finding[] {
  const sorted = findings.toSorted((a, b) => SEVERITY[a.severity] - SEVERITY[b.severity]);
  if (sorted.length <= FINDING_LIMIT) return sorted;
  const left = sorted.length - FINDING_LIMIT;
  return [
    ...sorted.slice(0, FINDING_LIMIT),
    finding("note", "info", `There are ${left} findings more of these kinds.`),
  ];
}

/** What the result's config.json must say otherwise: rows that were cut, a head of its own. */
function changeConfig(outputs: readonly OutputTensor[], sources: Sources): Plan["configChanges"] {
  const { donor, base, models } = sources;
  const counting = outputs.filter(({ name }) => countsTokens(name));
  const entrance = counting.find(({ name }) => isTokenEmbedding(name)) ?? counting[0];
  const rows = entrance?.shape[0];
  const own = entrance && donor.checkpoint.tensors.get(entrance.name)?.shape[0];
  const all = [donor, ...(base ? [base] : []), ...models];
  const untied = all.some(
    ({ checkpoint }) => !isTied(checkpoint) && [...checkpoint.tensors.keys()].some(isHead),
  );
  return {
    ...(rows !== undefined && own !== undefined && rows !== own ? { vocabSize: rows } : {}),
    ...(untied && isTied(donor.checkpoint) ? { tied: false } : {}),
  };
}

/**
 * Plans a merge without reading a weight: every output tensor, what it is made of, every mismatch and
 * what it will cost. A recipe that cannot be followed is `bad-recipe`; models that do not fit each
 * other are findings, and an error among them makes the plan not runnable.
 */
export function planMerge(request: PlanRequest): Plan {
  const { method, budget, shardBytes } = request;
  invariant(request.models.length === request.recipe.models.length, "a checkpoint for each model");
  const counted = countedModels(method, request.recipe);
  const recipe = { ...request.recipe, models: counted.map((i) => request.recipe.models[i]!) };
  checkModels(method, request.recipe, counted.length);
  const settingFindings = checkSettings(method, request.recipe);
  const global = resolveGlobal(method, recipe);
  checkTogether(method, global);

  const allKeys = modelKeys(request.recipe);
  const keys = counted.map((i) => allKeys[i]!);
  const models = counted.map((i) => request.models[i]!);
  const modelSources = models.map((checkpoint, i): Source => ({ key: keys[i]!, checkpoint }));
  const baseSource =
    request.base && recipe.base !== undefined
      ? { key: recipe.base, checkpoint: request.base }
      : null;
  const sources: Sources = {
    method,
    base: method.base === "none" ? null : baseSource,
    models: modelSources,
    donor: baseSource ?? modelSources[0]!,
  };

  const layers = countLayers(sources.donor.checkpoint);
  const gathered = nameOutputs(sources).map((name) => ({
    name,
    ...gatherTensor(name, sources, global),
  }));
  const outputs = gathered.map(({ name, findings: _, ...tensor }): OutputTensor => {
    const elementCount = tensor.shape.reduce((product, axis) => product * axis, 1);
    const unit = method.unit?.(name, global) ?? name;
    if (tensor.action === "copy") {
      const dtype = tensor.copyFrom!.dtype;
      return { ...tensor, name, elementCount, dtype, resolved: NOTHING_RESOLVED, unit };
    }
    const position = { layer: layerIndex(name), layers };
    const resolved = resolveSettings(method, recipe, name, position);
    checkTogether(method, resolved.global);
    const own = sources.donor.checkpoint.tensors.get(name);
    return {
      ...tensor,
      name,
      elementCount,
      dtype: outputDType(recipe, (own ?? tensor.base ?? tensor.models[0]!).dtype),
      resolved: { ...resolved, models: tensor.present.map((i) => resolved.models[i]!) },
      unit,
    };
  });

  const configChanges = changeConfig(outputs, sources);
  const findings = arrangeFindings([
    ...settingFindings,
    ...compareCheckpoints(sources, configChanges.tied === false),
    ...(request.findings ?? []),
    ...gathered.flatMap((tensor) => tensor.findings),
    ...describeDTypes(recipe, outputs),
  ]);
  const shards = planShards(outputs, {
    maxBytes: shardBytes,
    metadata: { tool: `${STUDIO.name} ${STUDIO.version}`, merge_method: method.id },
  });
  const selects = outputs.some(
    ({ action, resolved }) => action === "merge" && method.select?.(resolved),
  );
  const passes = 1 + (method.reduce(global) === null ? 0 : 1) + (selects ? SELECT_PASSES : 0);
  const readBytes = estimateReads(outputs, passes);
  const speed = request.bytesPerSecond ?? null;
  const card: MergePlan = {
    tensors: outputs.map(({ name, shape, dtype, action }) => ({
      name,
      shape,
      dtype: action === "merge" && isOutputDType(dtype) ? dtype : "as-is",
      action,
    })),
    findings,
    runnable: findings.every(({ severity }) => severity !== "error"),
    readBytes,
    passes,
    writeBytes: shards.files.reduce(
      (sum, file) => sum + file.byteLength,
      new TextEncoder().encode(shards.index ?? "").byteLength,
    ),
    shards: shards.files.length,
    peakGpuBytes: estimatePeak(outputs, budget),
    seconds: speed !== null && speed > 0 ? readBytes / speed : null,
  };
  const { donor } = sources;
  return {
    card,
    method,
    recipe,
    global,
    keys,
    outputs,
    donor: donor.checkpoint,
    models,
    configChanges,
    shards,
  };
}
