import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { planShards } from "../../checkpoint/formats/safetensors/shards.ts";
import { openDepths } from "../../checkpoint/tensorRoles/depth.ts";
import { withoutHead } from "../../checkpoint/tensorRoles/head.ts";
import { alignNames } from "../../checkpoint/tensorRoles/layouts.ts";
import { countsTokens, isTokenEmbedding } from "../../checkpoint/tensorRoles/role.ts";
import {
  type Finding,
  type MergePlan,
  modelKeys,
  type ParsedRecipe,
  type Recipe,
} from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { isOutputDType } from "../../core/tensor/dtype.ts";
import type { MergeMethod, Resolved, Values } from "../method.ts";
import { checkSettings } from "../recipe/checkSettings.ts";
import { stateProfile } from "../recipe/profiles.ts";
import { countedModels, resolveGlobal, resolveSettings } from "../recipe/resolve.ts";
import { STUDIO } from "../run/version.ts";
import { arithmeticOf } from "./arithmetic.ts";
import { checkModels, checkTogether } from "./checkModels.ts";
import { compareCheckpoints } from "./compare.ts";
import { describeNonfiniteRows } from "./describeRows.ts";
import type { Details } from "./details.ts";
import { describeDTypes, outputDType } from "./dtypes.ts";
import { estimatePeak, estimateReads, passesOf } from "./estimate.ts";
import { type Absence, describeAbsences, listExtras } from "./extras.ts";
import { foldFindings } from "./foldFindings.ts";
import { gatherTensor } from "./gather.ts";
import { becomesUntied } from "./heads.ts";
import { describeLeftBehind } from "./leftBehind.ts";
import type { OutputTensor, Plan, TileBudget } from "./outputTensor.ts";
import { describeRecipe } from "./recipeFindings.ts";
import { finding, type Source, type Sources } from "./sources.ts";

export interface PlanRequest {
  readonly method: MergeMethod;
  readonly recipe: Recipe;
  /** The checkpoint of `recipe.base`; null where the recipe has none. */
  readonly base: Checkpoint | null;
  /** The checkpoint of each entry of `recipe.models`. */
  readonly models: readonly Checkpoint[];
  readonly shardBytes: number;
  readonly budget: TileBudget;
  /** Measured on this machine, or null. */
  readonly bytesPerSecond?: number | null;
  /** `ParsedRecipe.lines`, where the recipe was read from a text. */
  readonly lines?: ParsedRecipe["lines"] | undefined;
  /** What `readDetails` found in the models' files. */
  readonly details?: Details;
  /** What was found out elsewhere, e.g. from a sample of the weights. */
  readonly findings?: readonly Finding[];
}

const FINDING_LIMIT = 500;
const SEVERITY = { error: 0, warning: 1, note: 2 } as const;

/** The template's tensors in its order, then everyone else's by name. */
function nameOutputs({ base, models, template }: Sources): readonly string[] {
  const names = new Set(template.checkpoint.tensors.keys());
  const others = [...(base ? [base] : []), ...models]
    .flatMap(({ checkpoint }) => [...checkpoint.tensors.keys()])
    .filter((name) => !names.has(name));
  return [...names, ...[...new Set(others)].sort()];
}

const NOTHING_RESOLVED: Resolved = { global: {}, models: [] };

/** One finding a kind, errors first; a bounded list, whose end says how many more there are. */
function arrangeFindings(findings: readonly Finding[]): readonly Finding[] {
  const sorted = foldFindings(findings).toSorted(
    (a, b) => SEVERITY[a.severity] - SEVERITY[b.severity],
  );
  if (sorted.length <= FINDING_LIMIT) return sorted;
  const left = sorted.length - FINDING_LIMIT;
  return [
    ...sorted.slice(0, FINDING_LIMIT),
    finding("note", "info", `There are ${left} findings more of these kinds.`),
  ];
}

/** What the result's config.json must say otherwise: rows that were cut, a head of its own. */
function changeConfig(outputs: readonly OutputTensor[], template: Source): Plan["configChanges"] {
  const counting = outputs.filter(({ name }) => countsTokens(name));
  const entrance = counting.find(({ name }) => isTokenEmbedding(name)) ?? counting[0];
  const rows = entrance?.shape[0];
  const own = entrance && template.checkpoint.tensors.get(entrance.name)?.shape[0];
  return {
    ...(rows !== undefined && own !== undefined && rows !== own ? { vocabSize: rows } : {}),
    ...(becomesUntied(outputs, template) ? { tied: false } : {}),
  };
}

/** A base that the method does not work from is one more model, as mergekit has it. */
function countBase(request: PlanRequest): PlanRequest {
  const { method, recipe, base, models } = request;
  if (method.base !== "none" || base === null || recipe.base === undefined) return request;
  if (recipe.models.some(({ model }) => model === recipe.base)) return request;
  const listed = [...recipe.models, { model: recipe.base, parameters: {} }];
  return { ...request, recipe: { ...recipe, models: listed }, models: [...models, base] };
}

/** The models that are merged, without a base that the recipe lists among them, and what is beside. */
function openSources({ method, recipe, base, models, details }: PlanRequest) {
  const counted = countedModels(method, recipe);
  const allKeys = modelKeys(recipe);
  const template = (recipe.base !== undefined && base) || models[counted[0]!]!;
  const open = (key: string, stored: Checkpoint): Source => {
    const { tokens = null, repeatsEmbedding = false } = details?.get(stored) ?? {};
    const aligned = alignNames(stored, template);
    const checkpoint = repeatsEmbedding ? withoutHead(aligned) : aligned;
    return { key, stored, checkpoint, tokens, repeatsEmbedding };
  };
  const merged = counted.map((i) => open(allKeys[i]!, models[i]!));
  const stated = base && recipe.base !== undefined ? open(recipe.base, base) : null;
  const sources: Sources = {
    method,
    base: method.base === "none" ? null : stated,
    models: merged,
    template: stated ?? merged[0]!,
  };
  const listed = counted.map((i) => recipe.models[i]!);
  return { sources, recipe: { ...recipe, models: listed } };
}

/** Every output tensor, what was found about it, and the parameters that hold for it. */
function planOutputs(sources: Sources, recipe: Recipe, global: Values) {
  const { method, template } = sources;
  const depthOf = openDepths(template.checkpoint);
  const findings: Finding[] = [];
  const absences: Absence[] = [];
  const settings = { recipe, global };
  const outputs = nameOutputs(sources).flatMap((name): readonly OutputTensor[] => {
    const { findings: own, absence, action, ...tensor } = gatherTensor(name, sources, settings);
    for (const one of own) findings.push(one);
    if (absence) absences.push(absence);
    if (action === "leave out") return [];
    const about = { ...tensor, name, action, unit: method.unit?.(name, global) ?? name };
    if (action === "copy") {
      return [{ ...about, dtype: tensor.copyFrom!.dtype, resolved: NOTHING_RESOLVED }];
    }
    const resolved = resolveSettings(method, recipe, name, depthOf(name));
    checkTogether(method, resolved.global);
    const like = template.checkpoint.tensors.get(name) ?? tensor.base ?? tensor.models[0]!;
    const models = tensor.present.map((i) => resolved.models[i]!);
    const arithmetic = arithmeticOf(method, recipe, global, tensor);
    const dtype = outputDType(recipe, like);
    return [{ ...about, dtype, resolved: { ...resolved, models, arithmetic } }];
  });
  return {
    outputs,
    findings: [...findings, ...describeAbsences(absences)],
    extras: listExtras(absences),
  };
}

/** The plan for people: what comes out, and what it costs. */
function makeCard(
  { method, budget, bytesPerSecond = null }: PlanRequest,
  outputs: readonly OutputTensor[],
  shards: Plan["shards"],
  { findings, extras }: Pick<MergePlan, "findings" | "extras">,
): MergePlan {
  const merged = outputs.filter(({ action }) => action === "merge");
  const passes = merged.reduce((most, output) => Math.max(most, passesOf(method, output)), 1);
  const readBytes = estimateReads(method, outputs);
  const indexBytes = new TextEncoder().encode(shards.index ?? "").byteLength;
  return {
    tensors: outputs.map(({ name, shape, dtype, action }) => ({
      name,
      shape,
      dtype: action === "merge" && isOutputDType(dtype) ? dtype : "as-is",
      action,
    })),
    findings,
    extras,
    runnable: findings.every(({ severity }) => severity !== "error"),
    readBytes,
    passes,
    writeBytes: shards.files.reduce((sum, file) => sum + file.byteLength, indexBytes),
    shards: shards.files.length,
    peakGpuBytes: estimatePeak(outputs, budget),
    seconds: bytesPerSecond !== null && bytesPerSecond > 0 ? readBytes / bytesPerSecond : null,
  };
}

/**
 * Plans a merge without reading a weight: every output tensor, what it is made of, every mismatch and
 * what it will cost. A recipe that cannot be followed is `bad-recipe`; models that do not fit each
 * other are findings, and an error among them makes the plan not runnable.
 */
export function planMerge(given: PlanRequest): Plan {
  invariant(given.models.length === given.recipe.models.length, "a checkpoint for each model");
  const request = countBase({ ...given, recipe: stateProfile(given.recipe) });
  const { method } = request;
  const { sources, recipe } = openSources(request);
  checkModels(method, request.recipe, recipe.models.length);
  const settingFindings = checkSettings(method, request.recipe, request.lines);
  const global = resolveGlobal(method, recipe);
  checkTogether(method, global);

  const { outputs, findings, extras } = planOutputs(sources, recipe, global);
  const configChanges = changeConfig(outputs, sources.template);
  const said = arrangeFindings([
    ...settingFindings,
    ...describeRecipe(method, recipe, sources, outputs),
    ...compareCheckpoints(sources, recipe, outputs),
    ...describeLeftBehind(sources.template, recipe),
    ...(request.details ? describeNonfiniteRows(sources, recipe, outputs, request.details) : []),
    ...(request.findings ?? []),
    ...findings,
    ...describeDTypes(recipe, outputs),
  ]);
  const shards = planShards(outputs, {
    maxBytes: request.shardBytes,
    metadata: { tool: `${STUDIO.name} ${STUDIO.version}`, merge_method: method.id },
  });
  return {
    card: makeCard(request, outputs, shards, { findings: said, extras }),
    method,
    recipe,
    global,
    outputs,
    configChanges,
    shards,
    keys: sources.models.map(({ key }) => key),
    template: sources.template.checkpoint,
    models: sources.models.map(({ checkpoint }) => checkpoint),
  };
}
