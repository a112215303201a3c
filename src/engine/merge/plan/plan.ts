import { weightStem } from "../../checkpoint/config.ts";
import { planShards } from "../../checkpoint/formats/safetensors/shards.ts";
import { countsTokens, isTokenEmbedding } from "../../checkpoint/tensorRoles/role.ts";
import {
  EngineError,
  type Finding,
  type MergePlan,
  type ParsedRecipe,
} from "../../contract/index.ts";
import { isOutputDType } from "../../core/tensor/dtype.ts";
import { checkSettings } from "../recipe/checkSettings.ts";
import { stateProfile } from "../recipe/profiles.ts";
import { resolveGlobal } from "../recipe/resolve.ts";
import { STUDIO } from "../run/version.ts";
import type { MergedVocabulary } from "../vocabulary/mergedVocabulary.ts";
import { changeLayers } from "./changeLayers.ts";
import { compareCheckpoints } from "./compare.ts";
import { describeDTypes } from "./dtypes.ts";
import {
  bytesToMeasure,
  bytesToWrite,
  estimatePeak,
  estimateReads,
  mostReads,
} from "./estimate.ts";
import { describeAbsences, listExtras } from "./extras.ts";
import { foldFindings } from "./foldFindings.ts";
import { becomesUntied } from "./heads.ts";
import { describeLeftBehind, describeLeftOut } from "./leftBehind.ts";
import { type OpenRequest, openSections, openWhole } from "./openSections.ts";
import type { OutputTensor, Plan, TileBudget } from "./outputTensor.ts";
import { planSection } from "./planSection.ts";
import { finding, type Source } from "./sources.ts";

export interface PlanRequest extends OpenRequest {
  readonly shardBytes: number;
  readonly budget: TileBudget;
  /** Measured on this machine, or null. */
  readonly bytesPerSecond?: number | null;
  /** `ParsedRecipe.lines`, where the recipe was read from a text. */
  readonly lines?: ParsedRecipe["lines"] | undefined;
  /** What was found out elsewhere, e.g. from a sample of the weights. */
  readonly findings?: readonly Finding[];
}

const FINDING_LIMIT = 500;
const SEVERITY = { error: 0, warning: 1, note: 2 } as const;

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
function changeConfig(
  outputs: readonly OutputTensor[],
  template: Source,
  merged: MergedVocabulary | null,
): Plan["configChanges"] {
  const counting = outputs.filter(({ name }) => countsTokens(name));
  const entrance = counting.find(({ name }) => isTokenEmbedding(name)) ?? counting[0];
  const rows = entrance?.shape[0];
  const { tensors, config } = template.checkpoint;
  const own = merged ? config?.vocabSize : entrance && tensors.get(entrance.name)?.shape[0];
  return {
    ...(rows !== undefined && own != null && rows !== own ? { vocabSize: rows } : {}),
    ...(becomesUntied(outputs, template) ? { tied: false } : {}),
  };
}

/** The plan for people: what comes out, and what it costs. */
function makeCard(
  { method, budget, vocabulary, bytesPerSecond = null }: PlanRequest,
  outputs: readonly OutputTensor[],
  shards: Plan["shards"],
  { findings, extras }: Pick<MergePlan, "findings" | "extras">,
): MergePlan {
  const workBytes = bytesToMeasure({ method, outputs }) + bytesToWrite({ method, outputs });
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
    vocabulary: vocabulary?.card ?? null,
    runnable: findings.every(({ severity }) => severity !== "error"),
    readBytes: estimateReads(method, outputs, budget),
    passes: mostReads(method, outputs, budget),
    writeBytes: shards.files.reduce((sum, file) => sum + file.byteLength, indexBytes),
    shards: shards.files.length,
    peakGpuBytes: estimatePeak(method, outputs, budget),
    seconds: bytesPerSecond !== null && bytesPerSecond > 0 ? workBytes / bytesPerSecond : null,
  };
}

/** What several slices say alike. */
function onceEach(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

/** Refuses sections that make the same tensor: two names of one module. */
function requireDistinct(outputs: readonly OutputTensor[]): void {
  const seen = new Set<string>();
  for (const { name } of outputs) {
    if (seen.has(name)) {
      throw new EngineError("bad-recipe", `Two modules of the recipe make the tensor "${name}".`, {
        key: "modules",
        tensor: name,
      });
    }
    seen.add(name);
  }
}

/**
 * Plans a merge without reading a weight: every output tensor, what it is made of, every mismatch and
 * what it will cost. A recipe that cannot be followed is `bad-recipe`; models that do not fit each
 * other are findings, and an error among them makes the plan not runnable.
 */
export function planMerge(given: PlanRequest): Plan {
  const request = { ...given, recipe: stateProfile(given.recipe) };
  const { method, recipe } = request;
  const sections = openSections(request);
  const settingFindings = checkSettings(method, recipe, request.lines);
  const sources = openWhole(request, sections);
  const keys = sources.models.map(({ key }) => key);
  const global = resolveGlobal(method, recipe);
  const planned = sections.map((section, i) => planSection(section, i, request, keys));
  const outputs = planned.flatMap((part) => part.outputs);
  requireDistinct(outputs);
  const absences = planned.flatMap((part) => part.absences);
  const fields = changeLayers(sections, sources.template.checkpoint);
  const configChanges = {
    ...changeConfig(outputs, sources.template, request.vocabulary?.merged ?? null),
    ...(fields.length > 0 ? { fields } : {}),
  };
  const findings = arrangeFindings([
    ...settingFindings,
    ...onceEach(planned.flatMap((part) => part.findings)),
    ...compareCheckpoints(sources, recipe, outputs),
    ...describeLeftBehind(sources.template, recipe),
    ...describeLeftOut(sources, recipe, sections),
    ...(request.findings ?? []),
    ...describeAbsences(absences),
    ...describeDTypes(recipe, outputs),
  ]);
  const shards = planShards(outputs, {
    maxBytes: request.shardBytes,
    metadata: { tool: `${STUDIO.name} ${STUDIO.version}`, merge_method: method.id },
    stem: weightStem(sources.template.checkpoint.config),
  });
  return {
    card: makeCard(request, outputs, shards, { findings, extras: listExtras(absences) }),
    method,
    recipe: recipe.models.length > 0 ? { ...recipe, models: sections[0]!.recipe.models } : recipe,
    global,
    outputs,
    configChanges,
    shards,
    keys,
    template: sources.template.checkpoint,
    vocabulary: request.vocabulary?.merged ?? null,
    models: sources.models.map(({ checkpoint }) => checkpoint),
    bases: sections.flatMap((section) => section.sources.base?.stored ?? []),
  };
}
