import { get, set } from "idb-keyval";
import { exportJob } from "./checkpoint/export.ts";
import { openLibrary } from "./checkpoint/library/databaseLibrary.ts";
import { importJob } from "./checkpoint/library/import.ts";
import { createLibraryQueries } from "./checkpoint/library/libraryQueries.ts";
import { withPairs } from "./checkpoint/library/pairs.ts";
import { samplesJob } from "./checkpoint/library/samples.ts";
import type { Engine } from "./contract/index.ts";
import { shareEvents, watchEvents } from "./core/jobs/events.ts";
import { storedJournal } from "./core/jobs/journal.ts";
import type { AnyJobKind } from "./core/jobs/kind.ts";
import { locksInMemory, webLocks } from "./core/jobs/locks.ts";
import { createRunner } from "./core/jobs/runner.ts";
import type { Threads } from "./core/threads.ts";
import { createEvaluateKind } from "./evaluate/evaluateJob.ts";
import { createExtractQueries } from "./extract/extractQueries.ts";
import { mapsInDatabase } from "./fuse/align/maps/mapCache.ts";
import { createExportFusionKind } from "./fuse/dataset/exportFusion.ts";
import { storedFusionCatalogue } from "./fuse/dataset/fusionCatalogue.ts";
import { openFusions } from "./fuse/dataset/fusions.ts";
import { storeRecords } from "./fuse/dataset/recordStore.ts";
import { createFusionQueries } from "./fuse/fusionQueries.ts";
import { GpuProvider } from "./gpu/device.ts";
import { createEnvironmentQueries } from "./gpu/environmentQueries.ts";
import { createInspectQueries } from "./inspect/inspectQueries.ts";
import { createAdapterMergeKind } from "./merge/adapters/adapterJob.ts";
import { readEarlierJobs } from "./merge/earlierJobs.ts";
import { createMergeQueries } from "./merge/mergeQueries.ts";
import { stateProfileOf } from "./merge/recipe/profiles.ts";
import { createFactStore } from "./merge/run/factStore.ts";
import { isMixture } from "./mixture/parseMixture.ts";
import { planMixture } from "./mixture/planMixture.ts";
import { assembleModelJobs } from "./modelJobs.ts";
import { createPipelineQueries } from "./pipeline/pipelineQueries.ts";
import { keepLanguageTexts } from "./runtime/language/languageFiles.ts";
import { createLanguageQueries } from "./runtime/language/languageQueries.ts";
import { openDatabase } from "./storage/database.ts";
import { openPrivateFolder } from "./storage/privateFolder.ts";
import { storeValues } from "./storage/values.ts";
import { createDatasetKind } from "./text/datasets/datasetJob.ts";
import { openDatasets } from "./text/datasets/datasetLibrary.ts";
import { watchTemplates } from "./text/templates/task.ts";
import { createTrainingQueries } from "./train/trainingQueries.ts";

/** Parts that the engine is assembled from: a Worker's navigator, or a test's substitutes. */
export interface EngineParts {
  readonly gpu: GPU | undefined;
  /** Address of the studio's own files, `samples/` among them. */
  readonly baseUrl: string;
  readonly indexedDB?: IDBFactory;
  /** Locks over all tabs; absent: nobody else uses the journal. */
  readonly locks: LockManager | undefined;
  readonly storage: StorageManager | undefined;
  /** Threads for long computations; absent: they run in turns on the engine's own. */
  readonly threads?: Threads;
  /** Channel to the engines of other tabs, which share the library and the journal. */
  readonly channel?: BroadcastChannel;
}

const BUDGET_KEY = "gpuBudgetBytes";
const SPEED_KEY = "mergeBytesPerSecond";

/** Assembles the engine; the only place that knows all of its parts. */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { gpu, baseUrl, storage } = parts;
  const database = openDatabase(parts.indexedDB);
  const settings = database.store("settings");
  const values = storeValues(database.store("values"));
  const [library, datasets] = [
    withPairs(await openLibrary(database, values)),
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
    createAdapterMergeKind(library),
    createDatasetKind({ datasets }),
    createEvaluateKind({ ...language, datasets }),
    createExportFusionKind({ fusions, ...exports }),
    exportJob({ library, ...exports }),
  ];
  const journal = readEarlierJobs(storedJournal(database.store("journal")));
  const runner = createRunner({ kinds, journal, locks });
  const changed = () => runner.tell({ type: "models" });
  if (parts.channel) shareEvents(runner, parts.channel);

  return {
    ...createEnvironmentQueries({
      gpuProvider,
      storage,
      freeIdle: () => modelCache.releaseIdle(),
      keepBudget: (bytes) => set(BUDGET_KEY, bytes, settings),
    }),
    ...createLibraryQueries({
      library,
      modelCache,
      facts,
      changed,
    }),
    ...createMergeQueries({
      ...merging,
      speed: async () => (await get<number>(SPEED_KEY, settings)) ?? null,
    }),
    planMixture: async (request) =>
      isMixture(request.yaml) ? (await planMixture(library, request)).card : null,
    ...createInspectQueries(library),
    ...createLanguageQueries({
      ...language,
      gpuProvider,
      datasets,
      changed,
    }),

    ...createTrainingQueries(training),
    ...createExtractQueries(library),
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
      changed,
    }),

    startJob: (request) => runner.start(stateProfileOf(request)),
    listJobs: () => runner.list(),
    controlJob({ job, do: order }) {
      if (order === "cancel") return runner.cancel(job);
      if (order === "resume") return runner.resume(job);
      return runner.delete(job);
    },
    watch: (_, options) => watchEvents(runner, options),
  };
}
