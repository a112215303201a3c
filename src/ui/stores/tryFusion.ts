import { type DroppedFile, EngineError } from "../../engine/contract/index.ts";
import { attempt, begin, finish, refreshLibrary } from "./commands.ts";
import { addSampleTexts, SAMPLE_TEXTS } from "./datasets.ts";
import { composeFusion, fuseBlocked, startFusion } from "./fusing.ts";
import { describeModels } from "./playing.ts";
import type { Studio } from "./studio.ts";

const PIVOT = "ember-base";
/** Another architecture with a tokenizer of its own. It comes with the page, but not with the samples to merge. */
const SOURCE = "flint-source";
const SOURCE_FILES = [
  ...["config.json", "generation_config.json", "model.safetensors"],
  ...["tokenizer.json", "tokenizer_config.json"],
];
/** Small enough for a look around on a software GPU. */
const FEW = { rows: 3, maxTokens: 128 } as const;

async function fetchSource(): Promise<readonly DroppedFile[]> {
  return Promise.all(
    SOURCE_FILES.map(async (name) => {
      const path = `${SOURCE}/${name}`;
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

/** Fetches what is not there yet of two samples and the sample texts, and fuses them: in one go. */
export function tryFusion(studio: Studio) {
  return attempt(studio, "Sample fusion", async () => {
    if (!find(studio, PIVOT)) await finish(studio, (await begin(studio, { kind: "samples" })).id);
    if (!find(studio, SOURCE)) {
      const files = await fetchSource();
      await finish(studio, (await begin(studio, { kind: "import", files })).id);
    }
    const texts = SAMPLE_TEXTS.map((name) => `${name}.jsonl`);
    const present = () =>
      (studio.library.getState().datasets ?? []).filter(({ name }) => texts.includes(name));
    if (present().length === 0) {
      const job = await addSampleTexts(studio);
      if (!job) return; // a notice says why
      await finish(studio, job.id);
    }
    await refreshLibrary(studio);
    await describeModels(studio);
    const [pivot, source] = [find(studio, PIVOT), find(studio, SOURCE)];
    if (!pivot || !source) return;
    composeFusion(studio, {
      ...{ pivot: pivot.id, sources: [source.id], datasets: present().map(({ id }) => id) },
      ...{ profile: "studio", changes: FEW, name: null },
    });
    if (fuseBlocked(studio) === null) await startFusion(studio); // else the screen says why
  });
}
