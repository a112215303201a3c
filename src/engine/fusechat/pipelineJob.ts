import type {
  FusionCard,
  FusionId,
  JobId,
  JobResult,
  ModelId,
  PipelineReport,
  PipelineRequest,
  PipelineStage,
  Recipe,
  WeightMap,
} from "../contract/index.ts";
import { bytesOfRow } from "../evaluate/sampleRows.ts";
import type { PairScores } from "../evaluate/scorePair.ts";
import type { RecordStore } from "../fuse/recordStore.ts";
import type { JobContext, JobKind } from "../jobs/kind.ts";
import { formatRecipe } from "../merge/recipe.ts";
import type { Library } from "../model/library.ts";
import type { DatasetRow } from "../text/datasets.ts";
import { forgetTraining, readNotes } from "../train/recordState.ts";
import {
  chooseRows,
  type EvaluationParts,
  type ModelToScore,
  reportModels,
  scoreModels,
} from "./evaluation.ts";
import { recipeOf } from "./merges.ts";
import { TOOL } from "./report.ts";
import { checkPipeline } from "./request.ts";
import {
  forgetStages,
  readStages,
  type StageParts,
  StageRunner,
  type StagesState,
} from "./stages.ts";

export interface PipelineParts extends EvaluationParts, StageParts {
  readonly library: Library;
  readonly records: RecordStore;
  readonly kinds: {
    readonly fuse: JobKind<"fuse", unknown>;
    readonly distill: JobKind<"distill", unknown>;
    readonly merge: JobKind<"merge", unknown>;
  };
  weightMap(recipe: Recipe): Promise<WeightMap>;
}

/** Largest shard of what is merged. */
const SHARD_BYTES = 5e9;

const reportFolder = (job: JobId) => `pipeline/${job}/report`;

/** The report of a pipeline, or null while there is none. */
export async function readReport(records: RecordStore, job: JobId): Promise<PipelineReport | null> {
  const [bytes] = await records.read(reportFolder(job), 0, 1);
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as PipelineReport) : null; // ours
}

type Planned = Pick<PipelineStage, "key" | "step" | "title">;

/** Every stage of a pipeline, in order, with the sources' names for titles. */
export function planStages(
  { plain, merges }: PipelineRequest,
  sources: readonly string[],
): readonly Planned[] {
  return [
    ...sources.map(
      (source, i): Planned => ({
        ...{ key: `fuse-${i}`, step: "fuse", title: `Fuse ${source}` },
      }),
    ),
    ...sources.map(
      (source, i): Planned => ({
        ...{ key: `distil-${i}`, step: "distil", title: `Learn from ${source}` },
      }),
    ),
    ...(plain
      ? [{ key: "plain", step: "distil", title: "Fine-tune without sources" } as const]
      : []),
    ...merges.map(
      ({ name }): Planned => ({
        ...{ key: `merge-${name}`, step: "merge", title: `Merge by ${name}` },
      }),
    ),
    { key: "evaluate", step: "evaluate", title: "Evaluate" },
  ];
}

/** Job kind `fusechat`: every stage is a job of its own kind, run within this one. */
export function createPipelineKind(parts: PipelineParts): JobKind<"fusechat", StagesState> {
  const { records } = parts;
  return {
    kind: "fusechat",
    resource: "gpu",
    async prepare({ kind: _, ...request }) {
      checkPipeline(request);
      const { pivot, sources, datasets, fusion } = request;
      for (const source of sources) {
        const settings = fusion;
        await parts.kinds.fuse.prepare({
          ...{ kind: "fuse", pivot, sources: [source], datasets, settings, name: request.name },
        });
      }
      const stages = planStages(request, sources);
      const title = `FuseChat ${request.name}`;
      return { title, recipe: null, durable: true, totalBytes: 1000 * stages.length };
    },
    run: ({ kind: _, ...request }, context) => runPipeline(request, parts, context),
    async clean(id) {
      for (const { training } of (await readStages(records, id)).values()) {
        // A curve that was taken over from an earlier pipeline stays with that one.
        if (training?.startsWith(`${id}/`))
          await forgetTraining(records, training, { curve: true });
      }
      await forgetStages(records, id);
      await records.deleteFolder(reportFolder(id));
    },
  };
}

/** Runs the stages in order; what is made is called after the pipeline and what it comes from. */
async function runPipeline(
  request: PipelineRequest,
  parts: PipelineParts,
  context: JobContext<StagesState>,
): Promise<JobResult> {
  const { name, pivot, datasets, merges, training } = request;
  const { library, records, kinds } = parts;
  const { signal } = context;
  const nameOf = async (id: ModelId) => (await library.card(id)).name;
  const sources = await Promise.all(request.sources.map(nameOf));
  const stages = planStages(request, sources);
  const runner = new StageRunner(parts, context, stages.length);
  const stageOf = (key: string) => stages.find((stage) => stage.key === key) as Planned;
  const scored: ModelToScore[] = [
    { id: pivot, name: await nameOf(pivot), role: "pivot", about: null },
    ...request.sources.map(
      (id, i): ModelToScore => ({
        ...{ id, name: sources[i] as string, role: "source", about: null },
      }),
    ),
  ];

  const fusions: FusionId[] = [];
  for (const [i, source] of request.sources.entries()) {
    const settings = request.fusion;
    const { fusion } = await runner.run({
      ...{ ...stageOf(`fuse-${i}`), kind: kinds.fuse, depends: [] },
      request: {
        ...{ kind: "fuse", pivot, sources: [source], datasets, settings },
        // The same documents for every target, so that they differ by their teachers alone.
        alongside: request.sources.filter((other) => other !== source),
        name: `${name} from ${sources[i]}`,
      },
    });
    fusions.push(fusion as FusionId);
  }

  const trained: { readonly model: string; readonly job: JobId }[] = [];
  const train = async (key: string, fusion: FusionId, label: string, change = {}) => {
    const settings = { ...training, ...change };
    const result = await runner.run({
      ...{ ...stageOf(key), kind: kinds.distill, depends: [] },
      request: { kind: "distill", pivot, fusion, settings, name: `${name}-${label}` },
    });
    const id = result.models[0] as ModelId;
    const job = (await readStages(records, context.id)).get(key)?.training ?? context.id;
    trained.push({ model: await nameOf(id), job });
    return id;
  };
  const targets: ModelId[] = [];
  for (const [i, fusion] of fusions.entries()) {
    const id = await train(`distil-${i}`, fusion, sources[i] as string);
    targets.push(id);
    scored.push({ id, name: await nameOf(id), role: "target", about: sources[i] as string });
  }
  if (request.plain) {
    const alone = { lambda: 1, lambdaSchedule: "hard" };
    const id = await train("plain", fusions[0] as FusionId, "plain", alone);
    scored.push({ id, name: await nameOf(id), role: "plain", about: null });
  }

  const targetNames = await Promise.all(targets.map(nameOf));
  const maps: { readonly merge: string; readonly map: WeightMap }[] = [];
  for (const merge of merges) {
    const recipe = recipeOf(merge, await nameOf(pivot), targetNames, training);
    const { models } = await runner.run({
      ...{ ...stageOf(`merge-${merge.name}`), kind: kinds.merge, depends: [pivot, ...targets] },
      request: {
        ...{ kind: "merge", recipe, shardBytes: SHARD_BYTES },
        name: `${name}-${merge.name}`,
      },
    });
    const id = models[0] as ModelId;
    const made = await nameOf(id);
    scored.push({ id, name: made, role: "merge", about: formatRecipe(recipe) });
    const map = await parts.weightMap(recipe);
    // Where nothing had to be measured for the merge, the map can be measured in its own time.
    if (map.measured === map.total) maps.push({ merge: made, map });
  }

  const rows = await chooseRows(parts, {
    ...{ pivot, datasets, signal, fusion: fusions[0] as FusionId },
    tokens: request.evaluationTokens,
  });
  const scores = await runner.runOwn(stageOf("evaluate"), ({ state, ...options }) => {
    const known = (state ?? {}) as Readonly<Record<string, PairScores>>;
    return scoreModels(parts, scored, rows, { ...options, signal, state: known });
  });

  const cards: readonly FusionCard[] = await Promise.all(fusions.map(parts.fusions.card));
  const curves: PipelineReport["curves"] = await Promise.all(
    trained.map(async ({ model, job }) => {
      const { heldOutBefore, points } = await readNotes(records, job);
      return { model, heldOutBefore, points };
    }),
  );
  const report: PipelineReport = {
    ...{ format: 1, tool: TOOL, name, createdAt: Date.now() },
    settings: {
      ...{ fusion: request.fusion, training, evaluationTokens: request.evaluationTokens },
      datasets: await Promise.all(
        datasets.map(async (id) => (await parts.datasets.open(id)).card.name),
      ),
    },
    models: reportModels(scored, rows, scores),
    evaluated: { rows: rows.rows.length, bytes: bytesOf(rows.rows) },
    fusions: cards.map(({ name: called, members, rows: count, domains, dropped }) => ({
      ...{ name: called, members, rows: count, domains, dropped },
    })),
    ...{ curves, maps },
    notes: Object.values(scores).flatMap(({ notes }) => notes),
  };
  await records.deleteFolder(reportFolder(context.id));
  await records.append(reportFolder(context.id), [
    new TextEncoder().encode(JSON.stringify(report)),
  ]);
  return { models: scored.slice(1 + sources.length).map(({ id }) => id), downloads: [], notes: [] };
}

const bytesOf = (rows: readonly DatasetRow[]) =>
  rows.reduce((sum, row) => sum + bytesOfRow(row), 0);
