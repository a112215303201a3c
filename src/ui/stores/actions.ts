import {
  type DroppedFile,
  EngineError,
  type JobCard,
  type JobId,
  type JobRequest,
  type ModelCard,
  type ModelId,
  namedModels,
  type Recipe,
  toFailure,
} from "../../engine/contract/index.ts";
import { findCompatible, isCompatible, sharedStem, suggestName } from "./compatible.ts";
import { findMethodFor, takesBase } from "./methodFor.ts";
import { fillStarts } from "./recipeStore.ts";
import type { Studio } from "./studio.ts";

/** Runs an action; a failure becomes a notice with the action's name. */
export async function attempt<T>(
  studio: Studio,
  title: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code !== "cancelled") studio.notices.fail(title, failure);
    return undefined;
  }
}

/** Shows a screen through its address, so that the browser's back button works. */
export function show(screen: string): void {
  window.location.hash = `#/${screen}`;
}

/** Shows the Playground's columns, or its evaluations. */
export function openPlayground(studio: Studio, tab: "try" | "evaluate"): void {
  studio.playground.setState({ tab });
  show("playground");
}

/** Starts a job and adds its card to the store. */
export async function begin(studio: Studio, request: JobRequest): Promise<JobCard> {
  const job = await studio.engine.startJob(request);
  studio.jobs.begin(job);
  return job;
}

/** Card of a job once it has ended; throws its failure unless it is `done`. */
export function finish(studio: Studio, id: JobId): Promise<JobCard> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      const job = studio.jobs.find(id);
      if (job?.state === "running") return false;
      if (job?.state === "done") resolve(job);
      else {
        const { code, message, details } =
          job?.failure ?? toFailure(new DOMException("", "AbortError"));
        reject(new EngineError(code, message, details));
      }
      return true;
    };
    if (settle()) return;
    const stop = studio.jobs.subscribe(() => {
      if (settle()) stop();
    });
  });
}

/** Loads models, datasets, fused datasets and storage from the engine. */
export async function refreshLibrary(studio: Studio): Promise<void> {
  const before = studio.library.getState();
  // Models are shown even where loading others fails.
  const [models, datasets, fusions, storage] = await Promise.all([
    studio.engine.listModels(),
    studio.engine.listDatasets().catch(() => before.datasets),
    studio.engine.listFusions().catch(() => before.fusions),
    studio.engine.storage(),
  ]);
  studio.library.setState({ models, datasets, fusions, storage });
}

async function cards(studio: Studio, ids: readonly ModelId[]): Promise<readonly ModelCard[]> {
  await refreshLibrary(studio);
  const models = studio.library.getState().models ?? [];
  return ids.flatMap((id) => models.find((model) => model.id === id) ?? []);
}

/**
 * Imports dropped or picked checkpoints and datasets, and offers to merge models that fit together.
 */
export function importFiles(studio: Studio, files: readonly DroppedFile[]) {
  return attempt(studio, "Import", async () => {
    if (files.length === 0) return;
    const sorted = await studio.engine.sortDropped(files.map(({ path }) => path));
    const [data, checkpoints] = [new Set(sorted.data), new Set(sorted.checkpoints)];
    const pick = (paths: ReadonlySet<string>) => files.filter(({ path }) => paths.has(path));
    if (data.size > 0) await begin(studio, { kind: "dataset", files: pick(data) });
    if (checkpoints.size === 0) return;
    const started = await begin(studio, { kind: "import", files: pick(checkpoints) });
    const done = await finish(studio, started.id).catch(() => undefined); // its row tells why
    if (!done?.result) return;
    const brought = findCompatible(await cards(studio, done.result.models));
    if (brought.length >= 2) studio.desk.setState({ offered: brought.map(({ id }) => id) });
  });
}

/**
 * Composes a recipe of models: with the chosen method if it takes so many, and one of them as the
 * base.
 */
function composeMerge(studio: Studio, models: readonly ModelCard[], base: ModelCard | null) {
  const { methods } = studio.environment.getState();
  const wanted = studio.recipe.getState().recipe.method;
  const method = findMethodFor(methods, wanted, models.length);
  const asked = methods.find(({ id }) => id === wanted);
  if (method && asked && method !== asked) {
    studio.notices.tell(
      `${method.title} instead of ${asked.title}`,
      `${asked.title} does not take ${models.length} models.`,
    );
  }
  const withBase = base !== null && (!method || takesBase(method, models.length));
  const inOrder = models.toSorted((a, b) => a.createdAt - b.createdAt);
  const others = withBase ? inOrder.filter(({ id }) => id !== base.id) : inOrder;
  const recipe: Recipe = {
    method: method?.id ?? wanted,
    ...(withBase ? { base: base.name } : {}),
    models: others.map(({ name }) => ({ model: name, parameters: {} })),
    parameters: {},
  };
  studio.recipe.compose(method ? fillStarts(recipe, method) : recipe);
}

/** Composes a merge of these models, with the base guessed from their weights. */
export function mergeModels(studio: Studio, ids: readonly ModelId[]) {
  return attempt(studio, "Merge these", async () => {
    const chosen = await cards(studio, ids);
    const base = await studio.engine.guessBase(ids);
    composeMerge(studio, chosen, chosen.find(({ id }) => id === base) ?? null);
    studio.desk.setState({ selected: [], offered: [] });
    show("merge");
  });
}

/** Name of the result: the user's, else the models' common prefix and the method. */
export function resultName(studio: Studio): string {
  const { name, recipe } = studio.recipe.getState();
  if (name !== null) return name.trim();
  const names = namedModels(recipe);
  const taken = (studio.library.getState().models ?? []).map((model) => model.name);
  return suggestName(
    `${sharedStem(names) || recipe.base || names[0] || "merge"}-${recipe.method}`,
    taken,
  );
}

/** Starts the composed merge. */
export function startMerge(studio: Studio) {
  return attempt(studio, "Merge", async () => {
    const { recipe, shardBytes, keepStages } = studio.recipe.getState();
    const job = await begin(studio, {
      kind: "merge",
      recipe,
      name: resultName(studio),
      shardBytes,
      ...(keepStages && recipe.stages && { keepStages }),
    });
    studio.recipe.follow(job.id);
  });
}

/** Measures the weight map without merging. */
export function startMeasure(studio: Studio) {
  return attempt(studio, "Measure the weights", () =>
    begin(studio, { kind: "measure", recipe: studio.recipe.getState().recipe }),
  );
}

/** Imports the samples; their cards. */
export async function loadSamples(studio: Studio): Promise<readonly ModelCard[]> {
  const started = await begin(studio, { kind: "samples" });
  const done = await finish(studio, started.id);
  await refreshLibrary(studio);
  return (studio.library.getState().models ?? []).filter(
    ({ id, origin }) => origin === "sample" || done.result?.models.includes(id),
  );
}

/** Imports the samples, composes VaRM over the base and its fine-tunes, and merges. */
export function trySamples(studio: Studio) {
  return attempt(studio, "Sample models", async () => {
    const samples = await loadSamples(studio);
    const base = samples.find(({ name }) => name === "ember-base") ?? samples[0];
    if (!base) return;
    const { recipe } = studio.recipe.getState();
    studio.recipe.compose({ ...recipe, method: "varm" });
    composeMerge(
      studio,
      samples.filter((model) => isCompatible(model, base)),
      base,
    );
    show("merge");
    const { environment } = studio.environment.getState();
    if (environment?.gpu.available !== false) await startMerge(studio); // else the screen says why
  });
}

/** Cancels, resumes or deletes a job. */
export function control(studio: Studio, job: JobId, order: "cancel" | "resume" | "delete") {
  return attempt(studio, order === "delete" ? "Delete a run" : "Runs", async () => {
    await studio.engine.controlJob({ job, do: order });
    if (order === "delete") studio.jobs.remove(job);
  });
}

/** Exports a model as a Hugging Face folder: into a picked folder, else as downloads. */
export function exportModel(studio: Studio, model: ModelId) {
  return attempt(studio, "Export", async () => {
    const picker = window.showDirectoryPicker;
    const folder = picker ? await picker.call(window, { mode: "readwrite" }) : null;
    const started = await begin(studio, { kind: "export", model, folder });
    const done = await finish(studio, started.id);
    if (folder) {
      studio.notices.tell("Exported", `The model is in “${folder.name}”, ready for transformers.`);
    } else studio.desk.setState({ downloads: done.id });
  });
}

/** Asks the browser for persistent storage. */
export function keepData(studio: Studio) {
  return attempt(studio, "Keep my data", async () => {
    const storage = await studio.engine.persist();
    studio.library.setState({ storage });
    if (!storage.persisted) {
      studio.notices.tell(
        "Not granted",
        "The browser decides by itself and said no for now. Bookmarking or installing the page helps.",
      );
    }
  });
}
