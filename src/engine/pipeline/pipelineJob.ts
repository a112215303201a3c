import type {
  FusionId,
  JobId,
  JobResult,
  PipelineReport,
  PipelineRequest,
} from "../contract/index.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import type { NamedRows, PairScores } from "../evaluate/scorePair.ts";
import { decodePlain, encodePlain, type RecordStore } from "../fuse/dataset/recordStore.ts";
import { bytesOfRow } from "../text/datasets/sampleRows.ts";
import { forgetTraining, readNotes } from "../train/recordState.ts";
import { chooseRows, type ModelToScore, reportModels, scoreModels } from "./evaluation.ts";
import { TOOL } from "./report.ts";
import { checkPipeline } from "./request.ts";
import { forgetStages, readStages, type StagesState } from "./stages.ts";
import {
  checkLaterSteps,
  fuseSources,
  type MergedModel,
  mergeTargets,
  openPipeline,
  type Pipeline,
  type PipelineParts,
  type TrainedModel,
  trainTargets,
} from "./steps.ts";

const reportFolder = (job: JobId) => `pipeline/${job}/report`;

/** Report of a pipeline, or null before its end. */
export async function readReport(records: RecordStore, job: JobId): Promise<PipelineReport | null> {
  const [bytes] = await records.read(reportFolder(job), 0, 1);
  return bytes ? decodePlain<PipelineReport>(bytes) : null;
}

async function writeReport(records: RecordStore, job: JobId, report: PipelineReport) {
  await records.deleteFolder(reportFolder(job));
  await records.append(reportFolder(job), [encodePlain(report)]);
}

/** Job kind `fusechat`: every stage is a job of its own kind, run within this one. */
export function createPipelineKind(parts: PipelineParts): JobKind<"fusechat", StagesState> {
  const { records, kinds } = parts;
  return {
    kind: "fusechat",
    resource: "gpu",
    async prepare({ kind: _, ...request }) {
      checkPipeline(request);
      const { pivot, sources, datasets, fusion: settings, name } = request;
      for (const source of sources) {
        const one = { kind: "fuse", pivot, sources: [source], datasets, settings, name } as const;
        await kinds.fuse.prepare(one);
      }
      await checkLaterSteps(request, parts);
      // Stages are counted as parts once it runs; before there is no total.
      return { title: `FuseChat ${name}`, recipe: null, durable: true, totalBytes: 0 };
    },
    run: ({ kind: _, ...request }, context) => runPipeline(request, parts, context),
    async clean(id, state) {
      const notes = await readStages(records, id);
      for (const [key, { state: saved, result }] of Object.entries(state ?? {})) {
        if (result === null) await kindOf(key, kinds)?.clean?.(`${id}/${key}`, saved);
      }
      for (const { training } of notes.values()) {
        // A curve taken over from an earlier pipeline belongs to that one.
        if (!training?.startsWith(`${id}/`)) continue;
        await forgetTraining(records, training, { curve: true });
      }
      await forgetStages(records, id);
      await records.deleteFolder(reportFolder(id));
    },
  };
}

/** Job kind of a stage, by its key; null for the evaluation, which the pipeline runs itself. */
function kindOf(key: string, { fuse, distill, merge }: PipelineParts["kinds"]) {
  if (key.startsWith("fuse-")) return fuse;
  if (key.startsWith("merge-")) return merge;
  return key === "evaluate" ? null : distill;
}

/** Runs the stages in order; results are named after the pipeline and their source. */
async function runPipeline(
  request: PipelineRequest,
  parts: PipelineParts,
  context: JobContext<StagesState>,
): Promise<JobResult> {
  const pipeline = await openPipeline(request, parts, context);
  const fusions = await fuseSources(pipeline);
  // Rows are chosen before the long stages, so that a lack of rows is reported at once.
  const rows = await chooseRows(parts, {
    pivot: request.pivot,
    datasets: request.datasets,
    signal: context.signal,
    fusion: fusions[0] as FusionId,
    tokens: request.evaluationTokens,
    textColumn: request.fusion.textColumn,
  });
  const trained = await trainTargets(pipeline, fusions);
  const targets = trained.filter(({ role }) => role === "target");
  const merged = await mergeTargets(pipeline, targets);
  const report = await evaluate(pipeline, rows, { fusions, trained, merged });
  await writeReport(parts.records, context.id, report);
  return { models: [...trained, ...merged].map(({ id }) => id), downloads: [], notes: [] };
}

/** Scores all models on rows that no training read, and writes the report. */
async function evaluate(
  pipeline: Pipeline,
  rows: NamedRows,
  made: {
    readonly fusions: readonly FusionId[];
    readonly trained: readonly TrainedModel[];
    readonly merged: readonly MergedModel[];
  },
): Promise<PipelineReport> {
  const { request, parts, signal, runner, sources, stage, nameOf } = pipeline;
  const { name, pivot, datasets, training, evaluationTokens } = request;
  const models: readonly ModelToScore[] = [
    { id: pivot, name: await nameOf(pivot), role: "pivot", about: null },
    ...request.sources.map((id, i): ModelToScore => {
      return { id, name: sources[i] as string, role: "source", about: null };
    }),
    ...made.trained,
    ...made.merged,
  ];
  const scores = await runner.runOwn(stage("evaluate"), ({ state, ...options }) => {
    const known = (state ?? {}) as Readonly<Record<string, PairScores>>;
    return scoreModels(parts, models, rows, { ...options, signal, state: known });
  });
  const stored = await Promise.all(datasets.map((id) => parts.datasets.open(id)));
  const cards = await Promise.all(made.fusions.map(parts.fusions.card));
  return {
    format: 1,
    tool: TOOL,
    name,
    createdAt: Date.now(),
    settings: {
      fusion: request.fusion,
      training,
      evaluationTokens,
      datasets: stored.map(({ card }) => card.name),
    },
    models: reportModels(models, rows, scores),
    evaluated: {
      rows: rows.rows.length,
      bytes: rows.rows.reduce((sum, row) => sum + bytesOfRow(row), 0),
    },
    fusions: cards.map(({ name: called, members, rows: count, domains, dropped }) => ({
      name: called,
      members,
      rows: count,
      domains,
      dropped,
    })),
    curves: await Promise.all(
      made.trained.map(async ({ name: model, training: job }) => {
        const { heldOutBefore, points } = await readNotes(parts.records, job);
        return { model, heldOutBefore, points };
      }),
    ),
    maps: made.merged.map(({ name: merge, map }) => ({ merge, map })),
    notes: Object.values(scores).flatMap(({ notes }) => notes),
  };
}
