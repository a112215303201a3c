import {
  type DroppedFile,
  type Engine,
  FUSION_DEFAULTS,
  type FusionCard,
  type FusionSettings,
  type JobCard,
  type JobRequest,
} from "../src/engine/contract/index.ts";
import { createEngine } from "../src/engine/create.ts";

/** What a test asks of the page. Models are folders with their files; the pivot is the first. */
export interface FuseQuestion {
  readonly models: readonly {
    readonly name: string;
    readonly folder: string;
    readonly files: readonly string[];
  }[];
  readonly data: { readonly name: string; readonly text: string };
  readonly settings: Partial<FusionSettings>;
}

export interface FuseAnswer {
  readonly adapter: string;
  readonly card: FusionCard;
  readonly notes: readonly string[];
  readonly seconds: number;
}

async function run(engine: Engine, request: JobRequest): Promise<JobCard> {
  const { id } = await engine.startJob(request);
  for (;;) {
    const card = (await engine.listJobs()).find((each) => each.id === id) as JobCard;
    if (card.state === "done") return card;
    if (card.state !== "running") throw new Error(`${card.title}: ${card.failure?.message}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function fetchModel({
  name,
  folder,
  files,
}: FuseQuestion["models"][number]): Promise<readonly DroppedFile[]> {
  return Promise.all(
    files.map(async (path) => {
      const response = await fetch(`${folder}/${path}`);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      const file = new File([await response.blob()], path.split("/").at(-1) as string);
      return { path: `${name}/${path}`, file };
    }),
  );
}

async function answer({ models, data, settings }: FuseQuestion): Promise<FuseAnswer> {
  const engine = await createEngine({
    gpu: navigator.gpu,
    baseUrl: location.href,
    locks: navigator.locks,
    storage: navigator.storage,
  });
  const files = (await Promise.all(models.map(fetchModel))).flat();
  await run(engine, { kind: "import", files });
  const file = new File([data.text], data.name);
  await run(engine, { kind: "dataset", files: [{ path: data.name, file }] });
  const cards = await engine.listModels();
  const idOf = (name: string) => cards.find((card) => card.name === name)?.id ?? "";
  const [pivot = "", ...sources] = models.map(({ name }) => idOf(name));
  const { studio } = FUSION_DEFAULTS;
  const begun = performance.now();
  const { result } = await run(engine, {
    kind: "fuse",
    pivot,
    sources,
    name: "fused",
    settings: { ...studio, ...settings },
    datasets: (await engine.listDatasets()).map(({ id }) => id),
  });
  const seconds = (performance.now() - begun) / 1000;
  const card = (await engine.listFusions()).find(({ id }) => id === result?.fusion);
  const { gpu } = await engine.describe();
  if (!card || !gpu.available) throw new Error("there is no fusion");
  return { adapter: gpu.name, card, notes: result?.notes ?? [], seconds };
}

Object.assign(window, { answer });
