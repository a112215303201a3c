import type { LibraryReader } from "../checkpoint/library/library.ts";
import {
  EngineError,
  type FusionId,
  type JobId,
  type ModelId,
  type PipelineRequest,
  type PipelineStage,
  type Recipe,
  type TrainingSettings,
  type WeightMap,
} from "../contract/index.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { prepareMerge, requireRunnable } from "../merge/plan/prepare.ts";
import { formatRecipe } from "../merge/recipe/formatRecipe.ts";
import { checkTraining } from "../train/planner.ts";
import type { EvaluationParts, ModelToScore } from "./evaluation.ts";
import { mergeDType, recipeOf } from "./merges.ts";
import { readStages, type StageParts, StageRunner, type StagesState } from "./stages.ts";

/** Parts of the engine that a pipeline's steps need. */
export interface PipelineParts extends EvaluationParts, StageParts {
  readonly library: LibraryReader;
  readonly kinds: {
    readonly fuse: JobKind<"fuse", unknown>;
    readonly distill: JobKind<"distill", unknown>;
    readonly merge: JobKind<"merge", unknown>;
  };
  readonly gpuProvider: Pick<GpuProvider, "budgetBytes">;
  weightMap(recipe: Recipe, signal: AbortSignal): Promise<WeightMap>;
}

/** Largest shard of a merged model, in bytes. */
const SHARD_BYTES = 5e9;

type PlannedStage = Pick<PipelineStage, "key" | "step" | "title">;

/** Key of a target's stage, as in stored pipelines. */
const targetKey = (source: number) => `distil-${source}`;

/** Stages of a pipeline in order, titled with the sources' names. */
export function planStages(
  { plain, merges }: PipelineRequest,
  sources: readonly string[],
): readonly PlannedStage[] {
  const fusions = sources.map((source, i): PlannedStage => {
    return { key: `fuse-${i}`, step: "fuse", title: `Fuse ${source}` };
  });
  const targets = sources.map((source, i): PlannedStage => {
    return { key: targetKey(i), step: "distill", title: `Learn from ${source}` };
  });
  const alone: PlannedStage = { key: "plain", step: "distill", title: "Fine-tune without sources" };
  const merged = merges.map(({ name }): PlannedStage => {
    return { key: `merge-${name}`, step: "merge", title: `Merge by ${name}` };
  });
  return [
    ...fusions,
    ...targets,
    ...(plain ? [alone] : []),
    ...merged,
    { key: "evaluate", step: "evaluate", title: "Evaluate" },
  ];
}

/**
 * Checks later steps before the first begins: trainings that do not fit, and merges that are
 * impossible. The pivot stands in for the targets, which have its tensors.
 */
export async function checkLaterSteps(
  { pivot: id, sources, merges, training }: PipelineRequest,
  { library, gpuProvider: { budgetBytes } }: Pick<PipelineParts, "library" | "gpuProvider">,
): Promise<void> {
  const pivot = await library.open(id);
  checkTraining(pivot, training, budgetBytes);
  const targets = sources.map((_, i) => `target ${i + 1}`);
  for (const merge of merges) {
    const recipe = recipeOf(merge, pivot.name, targets, mergeDType(training, pivot));
    const options = { shardBytes: SHARD_BYTES, budgetBytes, open: async () => pivot };
    try {
      requireRunnable(await prepareMerge(recipe, options));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const message = `The merge "${merge.name}": ${error.message}`;
      throw new EngineError(error.code, message, { ...error.details, merge: merge.name }, error);
    }
  }
}

/** A running pipeline: state that its steps share. */
export interface Pipeline {
  readonly id: JobId;
  readonly request: PipelineRequest;
  readonly parts: PipelineParts;
  readonly signal: AbortSignal;
  readonly runner: StageRunner;
  /** Names of the sources, in the request's order. */
  readonly sources: readonly string[];
  stage(key: string): PlannedStage;
  nameOf(model: ModelId): Promise<string>;
}

/** Opens the shared state. */
export async function openPipeline(
  request: PipelineRequest,
  parts: PipelineParts,
  context: JobContext<StagesState>,
): Promise<Pipeline> {
  const nameOf = async (id: ModelId) => (await parts.library.card(id)).name;
  const sources = await Promise.all(request.sources.map(nameOf));
  const stages = planStages(request, sources);
  return {
    id: context.id,
    signal: context.signal,
    request,
    parts,
    sources,
    nameOf,
    runner: new StageRunner(parts, context, stages.length),
    stage: (key) => stages.find((stage) => stage.key === key) as PlannedStage,
  };
}

/**
 * Fuses each source alone, over the same documents, so that targets differ only by their teacher.
 */
export async function fuseSources(pipeline: Pipeline): Promise<readonly FusionId[]> {
  const { request, parts, runner, sources, stage } = pipeline;
  const { pivot, datasets, fusion: settings } = request;
  const fusions: FusionId[] = [];
  for (const [i, source] of request.sources.entries()) {
    const { fusion } = await runner.run({
      ...stage(`fuse-${i}`),
      kind: parts.kinds.fuse,
      depends: [],
      request: {
        kind: "fuse",
        pivot,
        sources: [source],
        datasets,
        settings,
        alongside: request.sources.filter((other) => other !== source),
        name: `${request.name} from ${sources[i]}`,
      },
    });
    fusions.push(fusion as FusionId);
  }
  return fusions;
}

/** A trained model, and the job of its training curve. */
export interface TrainedModel extends ModelToScore {
  readonly training: JobId;
}

/** Trains a target on each fusion and, on request, the pivot on the same tokens without sources. */
export async function trainTargets(
  pipeline: Pipeline,
  fusions: readonly FusionId[],
): Promise<readonly TrainedModel[]> {
  const { request, sources } = pipeline;
  const trained: TrainedModel[] = [];
  for (const [i, fusion] of fusions.entries()) {
    const about = sources[i] as string;
    const made = await train(pipeline, { key: targetKey(i), fusion, label: about });
    trained.push({ ...made, role: "target", about });
  }
  if (request.plain) {
    const alone = { lambda: 1, lambdaSchedule: "hard" } as const;
    const fusion = fusions[0] as FusionId;
    const made = await train(pipeline, { key: "plain", fusion, label: "plain" }, alone);
    trained.push({ ...made, role: "plain", about: null });
  }
  return trained;
}

async function train(
  { id, request, parts, runner, stage, nameOf }: Pipeline,
  {
    key,
    fusion,
    label,
  }: { readonly key: string; readonly fusion: FusionId; readonly label: string },
  change: Partial<TrainingSettings> = {},
): Promise<Pick<TrainedModel, "id" | "name" | "training">> {
  const settings = { ...request.training, ...change };
  const { models } = await runner.run({
    ...stage(key),
    kind: parts.kinds.distill,
    depends: [],
    request: {
      kind: "distill",
      pivot: request.pivot,
      fusion,
      settings,
      name: `${request.name}-${label}`,
    },
  });
  const model = models[0] as ModelId;
  const training = (await readStages(parts.records, id)).get(key)?.training ?? id;
  return { id: model, name: await nameOf(model), training };
}

/** A merged model, with its weight map. */
export interface MergedModel extends ModelToScore {
  readonly map: WeightMap;
}

/** Runs every merge of the targets. */
export async function mergeTargets(
  { request, parts, signal, runner, stage, nameOf }: Pipeline,
  targets: readonly ModelToScore[],
): Promise<readonly MergedModel[]> {
  const { pivot, merges, training } = request;
  const names = targets.map(({ name }) => name);
  const dtype = mergeDType(training, await parts.library.open(pivot));
  const merged: MergedModel[] = [];
  for (const merge of merges) {
    const recipe = recipeOf(merge, await nameOf(pivot), names, dtype);
    const { models } = await runner.run({
      ...stage(`merge-${merge.name}`),
      kind: parts.kinds.merge,
      // The recipe only has their names.
      depends: [pivot, ...targets.map(({ id }) => id)],
      request: {
        kind: "merge",
        recipe,
        shardBytes: SHARD_BYTES,
        name: `${request.name}-${merge.name}`,
      },
    });
    const id = models[0] as ModelId;
    const map = await parts.weightMap(recipe, signal);
    merged.push({
      id,
      name: await nameOf(id),
      role: "merge",
      about: formatRecipe(recipe),
      map,
    });
  }
  return merged;
}
