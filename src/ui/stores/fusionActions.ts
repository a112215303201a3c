import {
  type DatasetCard,
  FUSION_DEFAULTS,
  type FusionCard,
  type FusionSettings,
  type JobCard,
  type JobRequest,
  type ModelCard,
  type ModelId,
} from "../../engine/contract/index.ts";
import { attempt, begin, finish, refreshLibrary, show } from "./actions.ts";
import { isCompatible, isModel, suggestName } from "./compatible.ts";
import type { FusionDraft } from "./fusionStore.ts";
import { whyMute } from "./playgroundActions.ts";
import type { Studio } from "./studio.ts";

/** Models and datasets of the next fusion. */
export interface FusionParts {
  readonly pivot: ModelCard | null;
  readonly sources: readonly ModelCard[];
  readonly datasets: readonly DatasetCard[];
}

/**
 * Models and datasets of the next fusion. By default the oldest model with a tokenizer is the
 * pivot, models of other shapes are its sources, and every dataset is read. Deleted ones are left
 * out.
 */
export function fusionParts(studio: Studio): FusionParts {
  const { draft } = studio.fusion.getState();
  const { cards } = studio.playground.getState();
  const { models, datasets } = studio.library.getState();
  const whole = (models ?? []).filter(isModel);
  const able = whole
    .filter(({ id }) => whyMute(cards[id]) === null)
    .toSorted((a, b) => a.createdAt - b.createdAt);
  const find = (id: ModelId) => whole.find((model) => model.id === id);
  const pivot = (draft.pivot === null ? able[0] : find(draft.pivot)) ?? null;
  const proposed = able.filter((model) => pivot && !model.pair && !isCompatible(model, pivot));
  return {
    pivot,
    sources: draft.sources?.flatMap((id) => find(id) ?? []) ?? proposed,
    datasets: (datasets ?? []).filter(({ id }) => draft.datasets?.includes(id) ?? true),
  };
}

/** Settings of the profile with the user's changes. */
export function fusionSettings(studio: Studio): FusionSettings {
  const { profile, changes } = studio.fusion.getState().draft;
  return { ...FUSION_DEFAULTS[profile], ...changes, profile };
}

/** Changes a setting; the profile's own value is no change. */
export function changeSetting<K extends keyof FusionSettings>(
  studio: Studio,
  key: K,
  value: FusionSettings[K],
): void {
  const { draft } = studio.fusion.getState();
  const { [key]: _, ...rest } = draft.changes;
  const usual = FUSION_DEFAULTS[draft.profile][key];
  studio.fusion.draft({ changes: value === usual ? rest : { ...rest, [key]: value } });
}

/** Reasons why this fusion cannot be started, a sentence each. */
export function fusionChecks(
  { pivot, sources, datasets }: FusionParts,
  mute: (model: ModelId) => string | null,
): readonly string[] {
  const found: string[] = [];
  if (!pivot) found.push("Choose a pivot: the model that is to learn from the others.");
  if (sources.length === 0) found.push("Choose a source: a model that the pivot learns from.");
  for (const model of [...(pivot ? [pivot] : []), ...sources]) {
    const why = mute(model.id);
    if (why) found.push(`${model.name} cannot take part. ${why}`);
  }
  if (sources.some(({ id }) => id === pivot?.id)) {
    found.push(`${pivot?.name} is the pivot and a source too: it cannot learn from itself.`);
  }
  const alone = sources.find(({ id }, at) => sources.findIndex((one) => one.id === id) !== at);
  if (alone) found.push(`${alone.name} is among the sources twice.`);
  if (datasets.length === 0) found.push("Choose a dataset: the text that all of them read.");
  for (const { name, rows } of datasets) {
    if (rows === 0) found.push(`${name} is empty: nothing in it could be read.`);
  }
  return found;
}

/** Reasons why the present draft cannot be started. */
export function presentChecks(studio: Studio): readonly string[] {
  const { cards } = studio.playground.getState();
  return fusionChecks(fusionParts(studio), (id) => whyMute(cards[id]));
}

const isFuse = ({ kind }: JobCard) => kind === "fuse";

/** First reason why no fusion can be started now, or null. */
export function fuseBlocked(studio: Studio): string | null {
  const { environment } = studio.environment.getState();
  if (environment && !environment.gpu.available) return environment.gpu.failure.message;
  const { jobs } = studio.jobs.getState();
  if (jobs?.some((job) => isFuse(job) && job.state === "running")) return "A fusion is running.";
  return presentChecks(studio)[0] ?? null;
}

/** Fusion that the screen follows: the one started here, else the newest unfinished one. */
export function followedFusion(studio: Studio): JobCard | undefined {
  const own = studio.jobs.find(studio.fusion.getState().job);
  const open = (job: JobCard) =>
    isFuse(job) && (job.state === "running" || (job.state === "interrupted" && job.resumable));
  return own ?? studio.jobs.getState().jobs?.find(open);
}

/** Fused dataset that is shown: the chosen one, else the newest complete one. */
export function shownFusion(
  fusions: readonly FusionCard[],
  shown: string | null,
): FusionCard | undefined {
  const newest = fusions.toSorted((a, b) => b.createdAt - a.createdAt);
  return fusions.find(({ id }) => id === shown) ?? newest.find(({ state }) => state === "complete");
}

/** Name of the fused dataset: the user's, else the pivot's and its only source's. */
export function fusionName(studio: Studio): string {
  const { name } = studio.fusion.getState().draft;
  if (name !== null) return name.trim();
  const { pivot, sources } = fusionParts(studio);
  const taken = (studio.library.getState().fusions ?? []).map((fusion) => fusion.name);
  const [first, ...others] = sources;
  const who = others.length > 0 ? `${sources.length} sources` : first?.name;
  const own = pivot?.name ?? "pivot";
  return suggestName(who === undefined ? `${own} fused` : `${own} from ${who}`, taken);
}

/** Starts the fusion, and shows its result when it is done. */
export function startFusion(studio: Studio) {
  return attempt(studio, "Fuse", async () => {
    const { pivot, sources, datasets } = fusionParts(studio);
    const settings = fusionSettings(studio);
    if (!pivot) return;
    const job = await begin(studio, {
      kind: "fuse",
      pivot: pivot.id,
      sources: sources.map(({ id }) => id),
      datasets: datasets.map(({ id }) => id),
      settings,
      name: fusionName(studio),
    });
    studio.fusion.setState({ job: job.id });
    studio.fusion.draft({ name: null });
    await showWhenDone(studio, job.id);
  });
}

async function showWhenDone(studio: Studio, job: string): Promise<void> {
  const done = await finish(studio, job).catch(() => undefined); // the bar tells why
  if (!done?.result?.fusion) return;
  await refreshLibrary(studio);
  studio.fusion.setState({ shown: done.result.fusion });
}

/** Shows a fused dataset on the Fuse screen. */
export function openFusion(studio: Studio, fusion: string): void {
  studio.fusion.setState({ shown: fusion });
  show("fuse");
}

/** Resumes a fusion, and shows its result when it is done. */
export function resumeFusion(studio: Studio, job: string) {
  studio.fusion.setState({ job });
  return attempt(studio, "Fuse", async () => {
    await studio.engine.controlJob({ job, do: "resume" });
    await showWhenDone(studio, job);
  });
}

/** Shows an unfinished or failed fusion. */
export function followFusion(studio: Studio, job: string): void {
  studio.fusion.setState({ job, tab: "setup" });
  show("fuse");
}

/** Replaces the draft of a fusion. */
export function composeFusion(studio: Studio, draft: Partial<FusionDraft>): void {
  studio.fusion.draft(draft);
  studio.fusion.setState({ tab: "setup", job: null });
  show("fuse");
}

export function removeFusion(studio: Studio, { id, name }: FusionCard) {
  return attempt(studio, `Delete ${name}`, async () => {
    await studio.engine.deleteFusion(id);
    await refreshLibrary(studio);
  });
}

export type FusionFormat = Extract<JobRequest, { readonly kind: "export-fusion" }>["format"];

/** Export formats of a fused dataset, with their readers. */
export const FUSION_FORMATS: readonly (readonly [FusionFormat, string])[] = [
  ["studio", "The studio’s own format"],
  ["fusellm", "Parquet for FuseLLM"],
  ["fusechat-v1", "Parquet for FuseChat v1"],
  ["fusechat-v2", "Parquet for FuseChat v2"],
];

/** Exports a fused dataset: into a picked folder, else as downloads. */
export function exportFusion(studio: Studio, { id, name }: FusionCard, format: FusionFormat) {
  return attempt(studio, `Export ${name}`, async () => {
    const picker = window.showDirectoryPicker;
    const folder = picker ? await picker.call(window, { mode: "readwrite" }) : null;
    const started = await begin(studio, { kind: "export-fusion", fusion: id, format, folder });
    const done = await finish(studio, started.id);
    if (folder) studio.notices.tell("Exported", `${name} is in “${folder.name}”.`);
    else studio.desk.setState({ downloads: done.id });
  });
}

/** Imports a file of FuseLLM, FuseChat or the studio as a fused dataset of a pivot. */
export function importFusion(studio: Studio, file: File, pivot: ModelId) {
  return attempt(studio, `Import ${file.name}`, async () => {
    const name = file.name.replace(/\.(parquet|fused)$/i, "");
    const files = [{ path: file.name, file }];
    await begin(studio, { kind: "import-fusion", files, pivot, name });
  });
}
