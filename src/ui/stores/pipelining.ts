import {
  type JobCard,
  type JobId,
  type PipelineMerge,
  type PipelineReport,
  type TrainingPoint,
  type TrainingSettings,
  toFailure,
} from "../../engine/contract/index.ts";
import { attempt, begin, show } from "./commands.ts";
import { suggestName } from "./compatible.ts";
import { fusionParts, fusionSettings, presentChecks } from "./fusing.ts";
import type { Studio } from "./studio.ts";

/** A training that a software GPU gets through while one waits. */
export const SHORT_TRAINING: Partial<TrainingSettings> = {
  ...{ steps: 24, batchTokens: 256, sequenceTokens: 128, learningRate: 1e-3 },
};
/** The same with time to learn. */
export const LONGER_TRAINING: Partial<TrainingSettings> = {
  ...{ steps: 150, batchTokens: 512, sequenceTokens: 256, learningRate: 1e-3 },
};

const isPipeline = ({ kind }: JobCard) => kind === "fusechat";

/** The training's settings: the profile's with what was changed; null until they are told. */
export function trainingSettings(studio: Studio): TrainingSettings | null {
  const { profiles, draft } = studio.pipeline.getState();
  const { profile } = studio.fusion.getState().draft;
  return profiles && { ...profiles[profile], ...draft.changes };
}

/** Sets one of them; what the profile sets anyway is no change. */
export function changeTraining<K extends keyof TrainingSettings>(
  studio: Studio,
  key: K,
  value: TrainingSettings[K],
): void {
  const { profiles, draft } = studio.pipeline.getState();
  const { [key]: _, ...rest } = draft.changes;
  const usual = profiles?.[studio.fusion.getState().draft.profile][key];
  studio.pipeline.draft({ changes: value === usual ? rest : { ...rest, [key]: value } });
}

/** The merges that are wanted. */
export function wantedMerges(studio: Studio): readonly PipelineMerge[] {
  const { merges, draft } = studio.pipeline.getState();
  return merges.filter(({ name }) => draft.merges?.includes(name) ?? true);
}

/** Asks once for what the form needs: profiles, and the merges of so many targets. */
export async function preparePipeline(studio: Studio): Promise<void> {
  const { profiles, mergesFor } = studio.pipeline.getState();
  const targets = fusionParts(studio).sources.length;
  try {
    if (!profiles) {
      studio.pipeline.setState({ profiles: await studio.engine.trainingProfiles() });
    }
    if (mergesFor !== targets) {
      const merges = await studio.engine.pipelineMerges(targets);
      studio.pipeline.setState({ merges, mergesFor: targets });
    }
  } catch (error) {
    studio.pipeline.setState({ failure: toFailure(error) });
  }
}

/** Why FuseChat cannot be started now, or null. */
export function pipelineBlocked(studio: Studio): string | null {
  const { environment } = studio.environment.getState();
  if (environment && !environment.gpu.available) return environment.gpu.failure.message;
  const running = studio.jobs
    .getState()
    .jobs?.some((job) => isPipeline(job) && job.state === "running");
  if (running) return "A pipeline is running.";
  const [check] = presentChecks(studio);
  if (check) return check;
  if (!trainingSettings(studio)) return "The profiles are being looked up.";
  return null;
}

/** The pipeline that the screen follows: the one chosen, else the newest. */
export function followedPipeline(studio: Studio): JobCard | undefined {
  const own = studio.jobs.find(studio.pipeline.getState().job);
  return own ?? studio.jobs.getState().jobs?.find(isPipeline);
}

/** What the results are called after. */
export function pipelineName(studio: Studio): string {
  const { name } = studio.pipeline.getState().draft;
  if (name !== null) return name.trim();
  const { pivot } = fusionParts(studio);
  const taken = (studio.library.getState().models ?? []).map((model) => model.name);
  return suggestName(`${pivot?.name ?? "pivot"}-fused`, taken);
}

/** Starts the whole of FuseChat with what is put together. */
export function startPipeline(studio: Studio) {
  return attempt(studio, "FuseChat", async () => {
    const { pivot, sources, datasets } = fusionParts(studio);
    const [fusion, training] = [fusionSettings(studio), trainingSettings(studio)];
    if (!pivot || !fusion || !training) return;
    const { plain, evaluationTokens } = studio.pipeline.getState().draft;
    const job = await begin(studio, {
      ...{ kind: "fusechat", name: pipelineName(studio), pivot: pivot.id, fusion, training },
      ...{ sources: sources.map(({ id }) => id), datasets: datasets.map(({ id }) => id) },
      ...{ plain, evaluationTokens, merges: wantedMerges(studio) },
    });
    studio.pipeline.setState({ job: job.id });
    studio.pipeline.draft({ name: null });
  });
}

export function resumePipeline(studio: Studio, job: JobId) {
  studio.pipeline.setState({ job });
  return attempt(studio, "FuseChat", () => studio.engine.controlJob({ job, do: "resume" }));
}

/** Shows a pipeline, whatever its state. */
export function openPipeline(studio: Studio, job: JobId): void {
  studio.pipeline.setState({ job });
  studio.fusion.setState({ tab: "pipeline" });
  show("fuse");
}

/** Asks how far the followed pipeline is, and for the curves of its trainings. */
export async function refreshPipeline(studio: Studio): Promise<void> {
  const job = followedPipeline(studio)?.id;
  if (job === undefined) return;
  try {
    const run = await studio.engine.pipelineRun(job);
    if (followedPipeline(studio)?.id !== job) return; // another one was chosen meanwhile
    studio.pipeline.setState({ shown: job, run, failure: null });
    const { curves } = studio.pipeline.getState();
    for (const { training, state } of run.stages) {
      if (training === null || (curves[training] && state !== "running")) continue;
      const curve = await studio.engine.trainingRun(training);
      studio.pipeline.setState((before) => ({ curves: { ...before.curves, [training]: curve } }));
    }
  } catch (error) {
    studio.pipeline.setState({ failure: toFailure(error) });
  }
}

/** Adds a step of a training to its curve; one that is told twice is told better the second time. */
export function takePoint(studio: Studio, training: JobId, point: TrainingPoint): void {
  studio.pipeline.setState(({ curves }) => {
    const curve = curves[training];
    if (!curve) return {};
    const points = [...curve.points.filter(({ step }) => step !== point.step), point];
    return { curves: { ...curves, [training]: { ...curve, points } } };
  });
}

/** The report as a file: its numbers, or words for people. */
export async function reportFile(
  studio: Studio,
  job: JobId,
  report: PipelineReport,
  format: "json" | "md",
): Promise<{ readonly name: string; readonly blob: Blob } | undefined> {
  return attempt(studio, "Save the report", async () => {
    const text =
      format === "json"
        ? `${JSON.stringify(report, null, 2)}\n`
        : await studio.engine.pipelineReportText(job);
    const type = format === "json" ? "application/json" : "text/markdown";
    return { name: `${report.name}-report.${format}`, blob: new Blob([text], { type }) };
  });
}
