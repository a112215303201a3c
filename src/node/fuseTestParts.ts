import { watchTemplates } from "../engine/text/templates/task.ts";
import "fake-indexeddb/auto";
import { basename, join } from "node:path";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { FUSION_DEFAULTS, type FusionSettings } from "../engine/contract/index.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import type { JobContext } from "../engine/core/jobs/kind.ts";
import { createPool } from "../engine/core/threadPool.ts";
import { alignTasks } from "../engine/fuse/align/tasks.ts";
import { storedFusionCatalogue } from "../engine/fuse/dataset/fusionCatalogue.ts";
import { openFusions } from "../engine/fuse/dataset/fusions.ts";
import { storeRecords } from "../engine/fuse/dataset/recordStore.ts";
import type { FusedRecord } from "../engine/fuse/dataset/records.ts";
import { createFuseKind, type FuseParts, type FuseState } from "../engine/fuse/fuseJob.ts";
import { GpuProvider } from "../engine/gpu/device.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { createModelCache } from "../engine/runtime/language/modelCache.ts";
import { openDatabase } from "../engine/storage/database.ts";
import type { StoredDataset } from "../engine/text/datasets/datasetLibrary.ts";
import { summarizeDataset } from "../engine/text/datasets/datasets.ts";
import { type OpenFiles, openFiles } from "./files.ts";
import { readGivenModels } from "./givenModels.ts";

/** One try at a fusion, of which a second can go on from `state`. */
export interface FusionAttempt {
  state?: FuseState;
  readonly job?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (label: string) => void;
}

/** For tests: fusions of checkpoint folders over texts, in a database of their own. */
export class FusionBench {
  readonly parts: FuseParts;
  readonly #models = new Map<string, Checkpoint>();
  readonly #datasets = new Map<string, StoredDataset>();
  readonly #open: OpenFiles[] = [];
  #jobs = 0;

  private constructor(parts: Omit<FuseParts, "modelCache" | "library" | "datasets">) {
    const given = () =>
      readGivenModels(
        [...this.#models].map(([id, checkpoint]) => ({ id, name: checkpoint.name, checkpoint })),
      );
    const library = {
      open: (id: string) => given().open(id),
      card: (id: string) => given().card(id),
    };
    this.parts = {
      ...parts,
      library,
      modelCache: createModelCache({ gpuProvider: parts.gpuProvider, library }),
      datasets: { open: async (id) => this.#datasets.get(id) as StoredDataset },
    };
  }

  static async open(name: string): Promise<FusionBench> {
    const database = openDatabase(indexedDB, name);
    const records = storeRecords(database.store("records"));
    return new FusionBench({
      records,
      gpuProvider: new GpuProvider(navigator.gpu),
      openText: keepLanguageTexts(watchTemplates()),
      fusions: await openFusions(storedFusionCatalogue(database), records),
      pool: createPool(alignTasks),
    });
  }

  /** A checkpoint folder, with other files in place of its own; its id is its name. */
  async addModel(
    path: string,
    name = basename(path),
    changed: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<string> {
    const opened = await openFiles(path);
    this.#open.push(opened);
    const files = new Map(opened.files);
    for (const [file, bytes] of Object.entries(changed)) files.set(file, bytesInMemory(bytes));
    this.#models.set(name, await openCheckpoint(files, name));
    return name;
  }

  addSample = (name: string) => this.addModel(join("public", "samples", name));

  async addDataset(name: string, text: string): Promise<string> {
    const source = bytesInMemory(new TextEncoder().encode(text));
    const { texts, chats } = await summarizeDataset(source, name);
    const card = { name, rows: texts + chats, byteLength: source.byteLength };
    this.#datasets.set(name, { card: card as never, file: name, source });
    return name;
  }

  /** Runs a fusion to its end. */
  async fuse(
    request: {
      readonly pivot: string;
      readonly sources: readonly string[];
      readonly datasets: readonly string[];
    },
    settings: Partial<FusionSettings> = {},
    attempt: FusionAttempt = {},
    kind = createFuseKind(this.parts),
  ) {
    const context: JobContext<FuseState> = {
      id: attempt.job ?? `job${++this.#jobs}`,
      state: attempt.state ?? null,
      signal: attempt.signal ?? new AbortController().signal,
      async save(state) {
        attempt.state = structuredClone(state);
      },
      progress: ({ label }) => attempt.onProgress?.(label),
      modelsChanged() {},
    };
    const base = FUSION_DEFAULTS[settings.profile ?? "studio"];
    const full = {
      ...request,
      kind: "fuse" as const,
      name: "fused",
      settings: { ...base, ...settings },
    };
    await kind.prepare(full);
    const result = await kind.run(full, context);
    const card = await this.parts.fusions.card(result.fusion as string);
    return { card, notes: result.notes, records: await this.records(card.id) };
  }

  async records(id: string): Promise<readonly FusedRecord[]> {
    const all: FusedRecord[] = [];
    for await (const record of this.parts.fusions.records(id)) all.push(record);
    return all;
  }

  async close(): Promise<void> {
    this.parts.modelCache.releaseIdle();
    (await this.parts.gpuProvider.get()).destroy();
    await Promise.all(this.#open.map(({ close }) => close()));
  }
}
