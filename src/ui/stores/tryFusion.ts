import { type DroppedFile, EngineError, type FusionSettings } from "../../engine/contract/index.ts";
import { attempt, begin, finish, refreshLibrary } from "./actions.ts";
import { addSampleTexts, SAMPLE_TEXTS } from "./datasets.ts";
import { composeFusion, fuseBlocked, startFusion } from "./fusionActions.ts";
import {
  pipelineBlocked,
  preparePipeline,
  SHORT_TRAINING,
  startPipeline,
} from "./pipelineActions.ts";
import { describeModels } from "./playgroundActions.ts";
import type { Studio } from "./studio.ts";

const PIVOT = "ember-base";
/** Samples with other architectures and tokenizers, which are not among the samples to merge. */
const SOURCES = ["flint-source", "slate-source"] as const;
const SOURCE_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];
/** Settings that are small enough for a software GPU. */
const FEW = { rows: 3, maxTokens: 128 } as const;
/** Rows for 24 steps of 256 tokens. */
const SOME = { rows: 12, maxTokens: 128 } as const;

async function fetchSource(source: string): Promise<readonly DroppedFile[]> {
  return Promise.all(
    SOURCE_FILES.map(async (name) => {
      const path = `${source}/${name}`;
      const answer = await fetch(new URL(`samples/${path}`, document.baseURI));
      if (answer.ok) return { path, file: new File([await answer.blob()], name) };
      const message = `The sample ${path} could not be fetched: the server answered ${answer.status}.`;
      throw new EngineError("missing-file", message, { path, status: answer.status });
    }),
  );
}

const find = (studio: Studio, name: string) =>
  studio.library
    .getState()
    .models?.find((model) => model.name === name && model.state === "complete");

/** Imports missing samples and the sample texts, and drafts a fusion of them. */
async function composeSamples(
  studio: Studio,
  sources: readonly string[],
  changes: Partial<FusionSettings>,
): Promise<boolean> {
  if (!find(studio, PIVOT)) await finish(studio, (await begin(studio, { kind: "samples" })).id);
  for (const source of sources) {
    if (find(studio, source)) continue;
    const files = await fetchSource(source);
    await finish(studio, (await begin(studio, { kind: "import", files })).id);
  }
  const texts = SAMPLE_TEXTS.map((name) => `${name}.jsonl`);
  const present = () =>
    (studio.library.getState().datasets ?? []).filter(({ name }) => texts.includes(name));
  if (present().length === 0) {
    const job = await addSampleTexts(studio);
    if (!job) return false; // a notice says why
    await finish(studio, job.id);
  }
  await refreshLibrary(studio);
  await describeModels(studio);
  const pivot = find(studio, PIVOT);
  const found = sources.flatMap((source) => find(studio, source) ?? []);
  if (!pivot || found.length < sources.length) return false;
  composeFusion(studio, {
    pivot: pivot.id,
    sources: found.map(({ id }) => id),
    profile: "studio",
    changes,
    datasets: present().map(({ id }) => id),
    name: null,
  });
  return true;
}

/** Fuses two samples over the sample texts. */
export function tryFusion(studio: Studio) {
  return attempt(studio, "Sample fusion", async () => {
    const ready = await composeSamples(studio, SOURCES.slice(0, 1), FEW);
    if (ready && fuseBlocked(studio) === null) await startFusion(studio); // else the screen says why
  });
}

/** Runs FuseChat over the samples; settings that the user changed stay. */
export function tryPipeline(studio: Studio) {
  return attempt(studio, "Sample FuseChat", async () => {
    const { changes } = studio.pipeline.getState().draft;
    studio.pipeline.draft({ changes: { ...SHORT_TRAINING, ...changes } });
    const own = studio.fusion.getState().draft.changes;
    if (!(await composeSamples(studio, SOURCES, { ...SOME, ...own }))) return;
    studio.fusion.setState({ tab: "pipeline" });
    await preparePipeline(studio);
    if (pipelineBlocked(studio) === null) await startPipeline(studio);
  });
}
