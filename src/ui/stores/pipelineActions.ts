import {
  type DatasetCard,
  type JobCard,
  type JobId,
  type PipelineMerge,
  TRAINING_DEFAULTS,
  type TrainingPlan,
  type TrainingPoint,
  type TrainingRun,
  type TrainingSettings,
  toFailure,
} from "../../engine/contract/index.ts";
import { formatBytes } from "../theme/format.ts";
import { attempt, begin } from "./actions.ts";
import { suggestName } from "./compatible.ts";
import { fusionParts, fusionSettings, presentChecks } from "./fusionActions.ts";
import type { Studio } from "./studio.ts";

/** Settings of a training that is short even on a software GPU. */
export const SHORT_TRAINING: Partial<TrainingSettings> = {
  steps: 24,
  batchTokens: 256,
  sequenceTokens: 128,
  learningRate: 1e-3,
  evaluateEvery: 8,
};
/** Settings of a longer training. */
export const LONGER_TRAINING: Partial<TrainingSettings> = {
  steps: 150,
  batchTokens: 512,
  sequenceTokens: 256,
  learningRate: 1e-3,
  evaluateEvery: 30,
};

const isPipeline = ({ kind }: JobCard) => kind === "fusechat";

/** Training settings of the profile with the user's changes. */
export function trainingSettings(studio: Studio): TrainingSettings {
  const { profile } = studio.fusion.getState().draft;
  return { ...TRAINING_DEFAULTS[profile], ...studio.pipeline.getState().draft.changes };
}

/** Changes a training setting; the profile's own value is no change. */
export function changeTraining<K extends keyof TrainingSettings>(
  studio: Studio,
  key: K,
  value: TrainingSettings[K],
): void {
  const { draft } = studio.pipeline.getState();
  const { [key]: _, ...rest } = draft.changes;
  const usual = TRAINING_DEFAULTS[studio.fusion.getState().draft.profile][key];
  studio.pipeline.draft({ changes: value === usual ? rest : { ...rest, [key]: value } });
}

/** Merges that are chosen. */
export function wantedMerges(studio: Studio): readonly PipelineMerge[] {
  const { merges, draft } = studio.pipeline.getState();
  return merges.filter(({ name }) => draft.merges?.includes(name) ?? true);
}

/** Loads the merges for the number of targets, once. */
export async function preparePipeline(studio: Studio): Promise<void> {
  const { mergesFor } = studio.pipeline.getState();
  const targets = fusionParts(studio).sources.length;
  try {
    if (mergesFor !== targets) {
      const merges = await studio.engine.pipelineMerges(targets);
      studio.pipeline.setState({ merges, mergesFor: targets });
    }
  } catch (error) {
    studio.pipeline.setState({ failure: toFailure(error) });
  }
}

/**
 * Reason why FuseChat cannot be started now, or null. A running pipeline is none: the next one
 * waits.
 */
export function pipelineBlocked(studio: Studio): string | null {
  const { environment } = studio.environment.getState();
  if (environment && !environment.gpu.available) return environment.gpu.failure.message;
  const [check] = presentChecks(studio);
  if (check) return check;
  if (nothingLeft(studio)) {
    return "No row would be left to evaluate on: read fewer rows of each dataset.";
  }
  if (studio.pipeline.getState().draft.name?.trim() === "") return "Give the results a name.";
  return refusal(studio.pipeline.getState().plan);
}

/** Whether the fusion would read all rows, and leave none for the evaluation. */
function nothingLeft(studio: Studio): boolean {
  const settings = fusionSettings(studio);
  const { datasets } = fusionParts(studio);
  // With a text column of the user's choice, rows that were not read before may be.
  const mostOf = ({ rows, problemCount }: DatasetCard) =>
    settings.textColumn === null ? rows : rows + problemCount;
  return datasets.every((dataset) => mostOf(dataset) <= settings.rows);
}

/** Reason why a training does not fit, with what would; null where it does, or is unknown. */
export function refusal(plan: TrainingPlan | null): string | null {
  if (!plan || plan.suggestion === null) return null;
  const { bytes, budgetBytes, suggestion } = plan;
  return `This training takes ${formatBytes(bytes.total)} on the GPU, and the budget is ${formatBytes(budgetBytes)}. ${suggestion}`;
}

/** Whether a pipeline waits for another job. */
export function waitsForTurn(studio: Studio, { id, state, progress }: JobCard): boolean {
  const others = studio.jobs.getState().jobs?.filter((job) => job.id !== id) ?? [];
  const begun = progress.doneBytes > 0 || progress.label !== "";
  return state === "running" && !begun && others.some((job) => job.state === "running");
}

/** Pipeline that the screen follows: the chosen one, else the newest. */
export function followedPipeline(studio: Studio): JobCard | undefined {
  const own = studio.jobs.find(studio.pipeline.getState().job);
  return own ?? studio.jobs.getState().jobs?.find(isPipeline);
}

/** Prefix of the results' names. */
export function pipelineName(studio: Studio): string {
  const { name } = studio.pipeline.getState().draft;
  if (name !== null) return name.trim();
  const { pivot } = fusionParts(studio);
  // Results are named after it, so a name is taken where any model's name begins with it.
  const names = (studio.library.getState().models ?? []).map((model) => model.name);
  const taken = names.flatMap((full) =>
    [...full.matchAll(/-/g)].map(({ index }) => full.slice(0, index)),
  );
  const begun = (studio.jobs.getState().jobs ?? []).filter(isPipeline);
  const promised = begun.map(({ title }) => title.replace(/^FuseChat /, ""));
  return suggestName(`${pivot?.name ?? "pivot"}-fused`, [...taken, ...promised]);
}

/** Starts FuseChat with the present draft. */
export function startPipeline(studio: Studio) {
  return attempt(studio, "FuseChat", async () => {
    const { pivot, sources, datasets } = fusionParts(studio);
    const [fusion, training] = [fusionSettings(studio), trainingSettings(studio)];
    if (!pivot) return;
    const { plain, evaluationTokens } = studio.pipeline.getState().draft;
    const job = await begin(studio, {
      kind: "fusechat",
      name: pipelineName(studio),
      pivot: pivot.id,
      fusion,
      training,
      sources: sources.map(({ id }) => id),
      datasets: datasets.map(({ id }) => id),
      plain,
      evaluationTokens,
      merges: wantedMerges(studio),
    });
    studio.pipeline.setState({ job: job.id });
    studio.pipeline.draft({ name: null });
  });
}

export function resumePipeline(studio: Studio, job: JobId) {
  studio.pipeline.setState({ job, pace: null });
  return attempt(studio, "FuseChat", () => studio.engine.controlJob({ job, do: "resume" }));
}

/** Loads the state of the followed pipeline, and the curves of its trainings. */
export async function refreshPipeline(studio: Studio): Promise<void> {
  const job = followedPipeline(studio)?.id;
  if (job === undefined) return;
  try {
    const run = await studio.engine.pipelineRun(job);
    if (followedPipeline(studio)?.id !== job) return; // another one was chosen meanwhile
    studio.pipeline.setState({ shown: job, run, failure: null });
    const { curves } = studio.pipeline.getState();
    for (const { training, state } of run.stages) {
      if (training !== null && (!curves[training] || state === "running")) {
        await askCurve(studio, training);
      }
    }
  } catch (error) {
    studio.pipeline.setState({ failure: toFailure(error) });
  }
}

/** Loads a curve, and keeps points that came as events meanwhile. */
async function askCurve(studio: Studio, training: JobId): Promise<void> {
  const told = await studio.engine.trainingRun(training);
  studio.pipeline.setState(({ curves }) => {
    const later = (curves[training]?.points ?? []).filter(
      ({ step }) => step > (told.points.at(-1)?.step ?? 0),
    );
    const curve: TrainingRun = { ...told, points: [...told.points, ...later] };
    return { curves: { ...curves, [training]: curve } };
  });
}

/**
 * Adds a step to a training's curve; a repeated step replaces the earlier one. `now` is in
 * milliseconds.
 */
export function takePoint(
  studio: Studio,
  training: JobId,
  point: TrainingPoint,
  now = Date.now(),
): void {
  const { curves, pace: before, run } = studio.pipeline.getState();
  const curve = curves[training];
  if (!curve) return;
  // The first step only starts the clock: its own duration is unknown.
  const inStep = point.step > (curve.points.at(-1)?.step ?? 0);
  const pace =
    before?.training === training && inStep
      ? { ...before, tokens: before.tokens + point.tokens }
      : { training, since: now, tokens: 0 };
  const seconds = (now - pace.since) / 1000;
  const others = curve.points.filter(({ step }) => step !== point.step);
  const points = inStep ? [...others, point] : [...others, point].sort((a, b) => a.step - b.step);
  const tokensPerSecond =
    seconds > 0 && pace.tokens > 0 ? pace.tokens / seconds : curve.tokensPerSecond;
  studio.pipeline.setState({
    pace,
    curves: { ...curves, [training]: { ...curve, points, tokensPerSecond } },
  });
  // The curve was loaded before the number of steps was known.
  if (curve.steps === 0 && run) {
    void askCurve(studio, training).catch(() => undefined); // the next stage asks again
  }
}
