import type { LibraryReader, LibraryWriter } from "./checkpoint/library/library.ts";
import type { EngineEvent } from "./contract/index.ts";
import type { Locks } from "./core/jobs/locks.ts";
import { createPool } from "./core/threadPool.ts";
import type { Threads } from "./core/threads.ts";
import { createExtractKind } from "./extract/extractJob.ts";
import type { MapCache } from "./fuse/align/maps/mapCache.ts";
import { alignTasks } from "./fuse/align/tasks.ts";
import type { FusionLibrary } from "./fuse/dataset/fusions.ts";
import { createImportFusionKind } from "./fuse/dataset/importFusion.ts";
import type { RecordStore } from "./fuse/dataset/recordStore.ts";
import { createFuseKind } from "./fuse/fuseJob.ts";
import type { GpuProvider } from "./gpu/device.ts";
import { createMeasureKind, measureWeightMap } from "./merge/measureJob.ts";
import { createMergeKind } from "./merge/mergeJob.ts";
import type { FactStore } from "./merge/run/factStore.ts";
import { createMixtureKind } from "./mixture/mixtureJob.ts";
import { createPipelineKind } from "./pipeline/pipelineJob.ts";
import type { OpenLanguageText } from "./runtime/language/languageFiles.ts";
import { createModelCache, withRoom } from "./runtime/language/modelCache.ts";
import type { DatasetLibrary } from "./text/datasets/datasetLibrary.ts";
import { createDistillKind } from "./train/distillJob.ts";
import { createTransplantKind } from "./transplant/transplantJob.ts";

/** What the weight map's summary tells beside the shares: how far the models' changes agree. */
const MAP_CAPTIONS: readonly string[] = ["agreement"];

/** Stores of models, data and results: a browser's database, or folders of a terminal. */
export interface ModelStores {
  readonly library: LibraryReader & LibraryWriter;
  readonly datasets: Pick<DatasetLibrary, "open">;
  readonly records: RecordStore;
  readonly fusions: FusionLibrary;
  readonly facts: FactStore;
  readonly maps: MapCache;
  /** Locks over all that share the records; absent where there is only this user of them. */
  readonly locks?: Locks;
}

export interface ModelJobParts extends ModelStores {
  readonly gpuProvider: GpuProvider;
  readonly openText: OpenLanguageText;
  /** Threads for long computations; absent: they run in turns on the caller's. */
  readonly threads?: Threads | undefined;
  tell(event: EngineEvent): void;
  /** Notes the throughput of a merge on this machine, in bytes of input per second. */
  noteSpeed(bytesPerSecond: number): void;
}

/**
 * Assembles the jobs that merge, fuse, train and extract models over any stores, for the page and the
 * terminal alike, with the parts that their queries need.
 */
export function assembleModelJobs(parts: ModelJobParts) {
  const { library, datasets, records, fusions, gpuProvider, openText, facts, maps } = parts;
  const modelCache = createModelCache({ gpuProvider, library });
  const language = { library, modelCache, openText };
  const captions = MAP_CAPTIONS;
  const merging = { library, facts, gpuProvider, captions, noteSpeed: parts.noteSpeed };
  const training = { gpuProvider, library, fusions, records, tell: parts.tell };
  const stored = { datasets, records, fusions };
  const pool = createPool(alignTasks, parts.threads);
  const locked = parts.locks ? { locks: parts.locks } : {};
  const merge = withRoom(modelCache, createMergeKind(merging));
  const fuse = createFuseKind({ ...language, ...stored, ...locked, gpuProvider, pool, maps });
  const distill = withRoom(modelCache, createDistillKind(training));
  return {
    modelCache,
    merging,
    training,
    kinds: {
      merge,
      fuse,
      distill,
      mixture: createMixtureKind({ library, modelCache, openText }),
      transplant: withRoom(modelCache, createTransplantKind({ gpuProvider, library, records })),
      extract: withRoom(modelCache, createExtractKind({ gpuProvider, library, records })),
      measure: withRoom(modelCache, createMeasureKind(merging)),
      importFusion: createImportFusionKind({ library, openText, fusions, gpuProvider }),
      fusechat: createPipelineKind({
        ...language,
        ...stored,
        gpuProvider,
        weightMap: (recipe, signal) => measureWeightMap(merging, recipe, { signal }),
        kinds: { fuse, distill, merge },
      }),
    },
  };
}
