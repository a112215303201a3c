import { get, set } from "idb-keyval";
import { storedCard } from "./checkpoint/checkpoint.ts";
import { exportJob } from "./checkpoint/export.ts";
import { openLibrary } from "./checkpoint/library/databaseLibrary.ts";
import { sortDropped } from "./checkpoint/library/dropped.ts";
import { importJob } from "./checkpoint/library/import.ts";
import type { Library } from "./checkpoint/library/library.ts";
import { samplesJob } from "./checkpoint/library/samples.ts";
import type {
  CallOptions,
  Engine,
  EngineEvent,
  Environment,
  ModelDetail,
  ModelId,
  StorageCard,
} from "./contract/index.ts";
import { EngineError, toFailure } from "./contract/index.ts";
import { storedJournal } from "./core/jobs/journal.ts";
import type { AnyJobKind } from "./core/jobs/kind.ts";
import { locksInMemory, webLocks } from "./core/jobs/locks.ts";
import { createRunner, type JobRunner } from "./core/jobs/runner.ts";
import type { Threads } from "./core/threads.ts";
import { createEvaluateKind } from "./evaluate/evaluateJob.ts";
import { mapsInDatabase } from "./fuse/align/maps/mapCache.ts";
import { createExportFusionKind } from "./fuse/dataset/exportFusion.ts";
import { storedFusionCatalogue } from "./fuse/dataset/fusionCatalogue.ts";
import { openFusions } from "./fuse/dataset/fusions.ts";
import { storeRecords } from "./fuse/dataset/recordStore.ts";
import { createFusionQueries } from "./fuse/fusionQueries.ts";
import { DEFAULT_BUDGET_BYTES, GpuProvider } from "./gpu/device.ts";
import { inspectTensor } from "./inspect/inspect.ts";
import { readEarlierJobs } from "./merge/earlierJobs.ts";
import { planFromLibrary, readWeightMap } from "./merge/mergeJob.ts";
import { methodCard } from "./merge/method.ts";
import { formatRecipe } from "./merge/recipe/formatRecipe.ts";
import { guessBase } from "./merge/recipe/guessBase.ts";
import { parseRecipe } from "./merge/recipe/parseRecipe.ts";
import { stateProfileOf } from "./merge/recipe/profiles.ts";
import { methods } from "./merge/registry.ts";
import { createFactStore } from "./merge/run/factStore.ts";
import { assembleModelJobs } from "./modelJobs.ts";
import { createPipelineQueries } from "./pipeline/pipelineQueries.ts";
import { keepLanguageTexts } from "./runtime/language/languageFiles.ts";
import { createLanguageQueries } from "./runtime/language/languageQueries.ts";
import { openDatabase } from "./storage/database.ts";
import { storeValues } from "./storage/values.ts";
import { createDatasetKind } from "./text/datasets/datasetJob.ts";
import { openDatasets } from "./text/datasets/datasetLibrary.ts";
import { watchTemplates } from "./text/templates/task.ts";
import { createTrainingQueries } from "./train/trainingQueries.ts";

/** What the engine is made of: what a Worker finds in its navigator, and a test makes for itself. */
export interface EngineParts {
  readonly gpu: GPU | undefined;
  /** Where the studio's own files are, `samples/` among them. */
  readonly baseUrl: string;
  readonly indexedDB?: IDBFactory;
  /** Without it nobody else is thought to run jobs of the same journal. */
  readonly locks: LockManager | undefined;
  readonly storage: StorageManager | undefined;
  /** Without them long computations take turns on the engine's own. */
  readonly threads?: Threads;
  /** To the engines of other tabs, which share the library and the journal. */
  readonly channel?: BroadcastChannel;
}

/** The longest text of a checkpoint that the page is given. */
const LONGEST_TEXT_BYTES = 2 ** 20;
const BUDGET_KEY = "gpuBudgetBytes";
const SPEED_KEY = "mergeBytesPerSecond";
const SMALLEST_BUDGET_BYTES = 64 * 2 ** 20;

/** Assembles the engine. The only place that knows all of it. */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { gpu, baseUrl, storage } = parts;
  const database = openDatabase(parts.indexedDB);
  const settings = database.store("settings");
  const values = storeValues(database.store("values"));
  const [library, datasets] = [
    await openLibrary(database, values),
    await openDatasets(database, values),
  ];
  const records = storeRecords(database.store("records"));
  const fusions = openFusions(storedFusionCatalogue(database), records);
  const gpuProvider = new GpuProvider(gpu, await get<number>(BUDGET_KEY, settings), {
    get: (key) => get(key, settings),
    set: (key, value) => set(key, value, settings),
  });
  const facts = createFactStore(database.store("facts"));
  const locks = parts.locks ? webLocks(parts.locks) : locksInMemory();
  const openText = keepLanguageTexts(watchTemplates(parts.threads));
  const {
    modelCache,
    merging,
    training,
    kinds: modelKinds,
  } = assembleModelJobs({
    library,
    datasets,
    records,
    fusions,
    facts,
    maps: mapsInDatabase(database.store("facts")),
    locks,
    gpuProvider,
    openText,
    threads: parts.threads,
    tell: (event) => runner.tell(event),
    noteSpeed: (bytesPerSecond) => void set(SPEED_KEY, bytesPerSecond, settings),
  });
  const language = { library, modelCache, openText };
  const exports = { openPrivateFolder: () => openPrivateFolder(storage) };
  const kinds: readonly AnyJobKind[] = [
    importJob({ library, locks }),
    samplesJob({ library, locks, baseUrl }),
    ...Object.values(modelKinds),
    createDatasetKind({ datasets }),
    createEvaluateKind({ ...language, datasets }),
    createExportFusionKind({ fusions, ...exports }),
    exportJob({ library, ...exports }),
  ];
  const journal = readEarlierJobs(storedJournal(database.store("journal")));
  const runner = createRunner({ kinds, journal, locks });
  if (parts.channel) shareEvents(runner, parts.channel);

  async function describe(): Promise<Environment> {
    try {
      const { name, software } = await gpuProvider.get();
      return { gpu: { available: true, name, software, budgetBytes: gpuProvider.budgetBytes } };
    } catch (error) {
      return { gpu: { available: false, failure: toFailure(error) } };
    }
  }

  async function storageCard(): Promise<StorageCard> {
    const [estimate, persisted] = await Promise.all([
      storage?.estimate?.(),
      storage?.persisted?.(),
    ]);
    return {
      usedBytes: estimate?.usage ?? 0,
      quotaBytes: estimate?.quota ?? null,
      persisted: persisted ?? false,
    };
  }

  return {
    describe,
    async setGpuBudget(bytes) {
      if (!(bytes >= SMALLEST_BUDGET_BYTES && bytes <= 2 ** 40)) {
        throw new EngineError(
          "usage",
          `A GPU budget of ${bytes} bytes is no use: give at least ${SMALLEST_BUDGET_BYTES} (64 MiB); ${DEFAULT_BUDGET_BYTES} (2 GiB) suits most machines.`,
          { bytes },
        );
      }
      modelCache.releaseIdle(); // the next use is on a new device
      gpuProvider.setBudget(bytes);
      await set(BUDGET_KEY, bytes, settings);
      return describe();
    },
    storage: storageCard,
    // Only a page may ask the browser for it, and has done so: see bridge/connectEngine.ts.
    persist: storageCard,

    listModels: () => library.list(),
    async openModel(id): Promise<ModelDetail> {
      const [card, checkpoint] = await Promise.all([library.card(id), library.open(id)]);
      return {
        card,
        tensors: [...checkpoint.tensors.values()].map(storedCard),
        files: [...checkpoint.files].map(([path, { byteLength }]) => ({ path, byteLength })),
        notes: checkpoint.notes,
      };
    },
    async readModelText({ model, path }) {
      const file = (await library.tree(model)).get(path);
      if (!file) {
        throw new EngineError("missing-file", `The model has no file "${path}".`, { file: path });
      }
      if (file.byteLength > LONGEST_TEXT_BYTES) {
        throw new EngineError(
          "usage",
          `${path} has ${file.byteLength} bytes; texts of at most ${LONGEST_TEXT_BYTES} are shown. Export the model to read it.`,
          { file: path, byteLength: file.byteLength },
        );
      }
      return new TextDecoder().decode(await file.read(0, file.byteLength));
    },
    async renameModel({ model, name }) {
      const card = await library.rename(model, name);
      runner.tell({ type: "models" });
      return card;
    },
    async deleteModel(id) {
      modelCache.forget(id);
      await library.delete(id);
      await facts.forget(id);
      runner.tell({ type: "models" });
    },

    sortDropped: async (paths) => sortDropped(paths),
    listMethods: async () => [...methods.values()].map(methodCard),
    parseRecipe: async (yaml) => parseRecipe(yaml),
    formatRecipe: async (recipe) => formatRecipe(recipe),
    async guessBase(ids) {
      const index = await guessBase(await Promise.all(ids.map((id) => library.open(id))));
      const base = index === null ? undefined : ids[index];
      if (base !== undefined) return base;
      throw new EngineError("mismatch", "These models share no tensors: none can be their base.");
    },
    async planMerge({ recipe, shardBytes, lines }) {
      const bytesPerSecond = (await get<number>(SPEED_KEY, settings)) ?? null;
      return (await planFromLibrary(merging, recipe, shardBytes, { bytesPerSecond, lines })).card;
    },
    weightMap: (recipe) => readWeightMap(merging, recipe),
    async inspectTensor({ model, tensor, against }) {
      const [own, other] = await Promise.all([
        findTensor(library, model, tensor),
        against === null ? null : findTensor(library, against, tensor),
      ]);
      return inspectTensor(own, other);
    },

    ...createLanguageQueries({
      ...language,
      gpuProvider,
      datasets,
      changed: () => runner.tell({ type: "models" }),
    }),

    ...createTrainingQueries(training),
    ...createPipelineQueries({
      records,
      library,
      async requestOf(job) {
        const request = (await journal.row(job))?.request;
        return request?.kind === "fusechat" ? request : null;
      },
    }),
    ...createFusionQueries({
      fusions,
      records,
      library,
      openText: language.openText,
      changed: () => runner.tell({ type: "models" }),
    }),

    startJob: (request) => runner.start(stateProfileOf(request)),
    listJobs: () => runner.list(),
    controlJob({ job, do: order }) {
      if (order === "cancel") return runner.cancel(job);
      if (order === "resume") return runner.resume(job);
      return runner.delete(job);
    },
    watch: (_, options) => watch(runner, options),
  };
}

/** What happens in one tab is told in all: libraries and runs are shown as they are. */
function shareEvents(runner: JobRunner, channel: BroadcastChannel): void {
  let told: EngineEvent | null = null;
  runner.watch((event) => {
    if (event !== told) channel.postMessage(event);
  });
  channel.onmessage = ({ data }: MessageEvent<EngineEvent>) => {
    told = data; // Not to be sent back.
    runner.tell(data);
    told = null;
  };
}

async function findTensor(library: Library, model: ModelId, name: string) {
  const checkpoint = await library.open(model);
  const tensor = checkpoint.tensors.get(name);
  if (tensor) return tensor;
  throw new EngineError("missing-tensor", `${checkpoint.name} has no tensor "${name}".`, {
    model: checkpoint.name,
    tensor: name,
  });
}

async function openPrivateFolder(
  storage: StorageManager | undefined,
): Promise<FileSystemDirectoryHandle> {
  const folder = await storage?.getDirectory?.().catch(() => undefined);
  if (folder) return folder;
  throw new EngineError(
    "permission",
    "This browser gives the studio no private folder, so it cannot prepare downloads. Export into a folder of your own, or leave the private window.",
  );
}

function watch(runner: JobRunner, { signal, onEvent }: CallOptions<EngineEvent>): Promise<void> {
  const stop = runner.watch((event) => onEvent?.(event));
  return new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  }).finally(stop);
}
