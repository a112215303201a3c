import { inputsOf } from "../checkpoint/inputFiles.ts";
import { EngineError, type FusionId } from "../contract/index.ts";
import { type WatchedInputs, watchInputs } from "../core/inputs.ts";
import type { JobContext, JobKind, RequestOf } from "../core/jobs/kind.ts";
import type { Locks } from "../core/jobs/locks.ts";
import type { Pool } from "../core/threadPool.ts";
import type { GpuProvider } from "../gpu/device.ts";
import type { LanguageParts } from "../runtime/language/generateText.ts";
import type { MapCache } from "./align/maps/mapCache.ts";
import type { AlignTasks } from "./align/tasks.ts";
import type { FusionLibrary, FusionWriter } from "./dataset/fusions.ts";
import type { RecordStore } from "./dataset/recordStore.ts";
import { droppedCard } from "./documents/dropped.ts";
import { begins, type FuseInputParts, openModels, prepareFusion } from "./fuseModels.ts";
import { checkFuseRequest } from "./fuseRequest.ts";
import type { LogitScale } from "./represent/represent.ts";
import type { FusionModel, StageParts } from "./stages/fuseStages.ts";
import { bridgeSource, type SourceBridge } from "./stages/fuseStagesAlign.ts";
import { type WrittenDocuments, writeDocuments } from "./stages/fuseStagesDocuments.ts";
import { type FusedSoFar, fuseAll } from "./stages/fuseStagesFuse.ts";
import {
  type RepresentedModel,
  representAll,
  representationFolder,
} from "./stages/fuseStagesRepresent.ts";

/** Parts of the engine that a fusion needs. */
export interface FuseParts extends FuseInputParts, Pick<LanguageParts, "modelCache"> {
  readonly gpuProvider: GpuProvider;
  readonly records: RecordStore;
  readonly fusions: FusionLibrary;
  readonly pool: Pool<AlignTasks>;
  readonly maps?: MapCache;
  /** Locks over all tabs that share the records; absent where there is only this user of them. */
  readonly locks?: Locks;
}

/** Saved state of a fusion. Documents and representations are in folders of records. */
export interface FuseState {
  readonly documents: WrittenDocuments;
  readonly fusion: FusionId | null;
  /** Number of rows, by model, whose likeliest column is no token. */
  readonly padding: Readonly<Record<string, number>>;
  readonly fused: FusedSoFar;
}

const documentsFolder = (job: string) => `fuse/${job}/documents`;
const groupsFolder = (job: string, source: number) => `fuse/${job}/groups ${source}`;

/** Job kind `fuse`: represents, aligns and fuses, model after model and document after document. */
export function createFuseKind(parts: FuseParts): JobKind<"fuse", FuseState> {
  return {
    kind: "fuse",
    resource: "gpu",
    prepare: (request) => prepareFusion(request, parts),
    run: (request, context) => new Fusing(checkFuseRequest(request), parts, context).run(),
    async clean(job, state) {
      await deleteFolders(job, parts.records);
      const fusion = state?.fusion;
      if (!fusion) return;
      const known = (await parts.fusions.list()).find(({ id }) => id === fusion);
      if (known?.state === "partial") await parts.fusions.delete(fusion);
    },
  };
}

/** Deletes the folders that only the stages of a job needed. */
async function deleteFolders(job: string, records: RecordStore): Promise<void> {
  for (const folder of await records.folders()) {
    if (folder.startsWith(`fuse/${job}/`)) await records.deleteFolder(folder);
  }
}

/** One run of a fusion. */
class Fusing {
  readonly #request: RequestOf<"fuse">;
  readonly #parts: FuseParts;
  readonly #context: JobContext<FuseState>;
  /** UTF-8 bytes of the documents, and of those done in earlier stages. */
  #bytes = 0;
  #before = 0;

  constructor(request: RequestOf<"fuse">, parts: FuseParts, context: JobContext<FuseState>) {
    this.#request = request;
    this.#parts = parts;
    this.#context = context;
  }

  async run() {
    const { pivot, sources, settings } = this.#request;
    const { records, fusions } = this.#parts;
    const watched = await this.#watchInputs();
    const models = await openModels([pivot, ...sources], settings, this.#parts);
    const stage: StageParts = {
      ...this.#parts,
      models,
      settings,
      signal: this.#context.signal,
      progress: (done, label) =>
        this.#context.progress({
          doneBytes: this.#before + done,
          totalBytes: this.#bytes * (models.length + 1),
          label,
        }),
    };
    let state = this.#context.state ?? (await this.#begin(stage));
    const save = (change: Partial<FuseState>) => {
      state = { ...state, ...change };
      return this.#context.save(state);
    };
    const { documents } = state;
    this.#bytes = documents.bytes;
    const listed = { folder: documentsFolder(this.#context.id), count: documents.count };
    const members = await this.#members(models, state);
    const writer = await this.#openWriter(state.fusion, members);
    if (writer) {
      await save({ fusion: writer.id });
      for (const member of members) {
        const rows = await representAll(member, listed, stage);
        const { name } = member.model;
        if (rows > 0) await save({ padding: { ...state.padding, [name]: rows } });
        this.#before += this.#bytes;
      }
      const bridges = await this.#bridge(members, stage);
      const inputs = { documents: listed, members, bridges, writer };
      await fuseAll(inputs, state.fused, stage, (fused) => save({ fused }));
      if (writer.documents === 0) throw nothingFused(state);
      await watched.requireUnchanged();
      await writer.seal(droppedCard({ ...documents.dropped, ...state.fused.dropped }));
    }
    this.#context.modelsChanged();
    await deleteFolders(this.#context.id, records);
    const fusion = state.fusion as FusionId;
    const notes = [...documents.notes, ...notesOn(models, state)];
    for (const dropped of (await fusions.card(fusion)).dropped) notes.push(asNote(dropped));
    return { models: [], downloads: [], notes, fusion };
  }

  /** Watches every file that this run may read for changes. */
  async #watchInputs(): Promise<WatchedInputs> {
    const { pivot, sources, alongside = [], datasets } = this.#request;
    const { library, datasets: stored } = this.#parts;
    const models = [pivot, ...sources, ...alongside].map((id) => library.open(id));
    const files = await Promise.all(datasets.map((id) => stored.open(id)));
    return watchInputs([
      ...inputsOf(await Promise.all(models)),
      ...files.map(({ card, source }) => [card.name, source] as const),
    ]);
  }

  /** Writes the documents; from here on the fusion can be resumed. */
  async #begin(stage: StageParts): Promise<FuseState> {
    const { datasets } = this.#request;
    const stored = await Promise.all(datasets.map((id) => this.#parts.datasets.open(id)));
    this.#bytes = stored.reduce((sum, { card }) => sum + card.byteLength, 0);
    const { alongside = [], settings } = this.#request;
    const models = [...stage.models, ...(await openModels(alongside, settings, this.#parts))];
    const folder = documentsFolder(this.#context.id);
    const documents = await writeDocuments(stored, folder, { ...stage, models });
    const fused = { documents: 0, bytes: 0, dropped: {} };
    const state: FuseState = { documents, fusion: null, padding: {}, fused };
    if (documents.count === 0) throw nothingFused(state);
    await this.#context.save(state);
    return state;
  }

  /**
   * Members with their representation folders. A fusion that an earlier version began with raw
   * logits continues with them.
   */
  async #members(
    models: readonly FusionModel[],
    { documents, fusion }: FuseState,
  ): Promise<readonly RepresentedModel[]> {
    const { settings } = this.#request;
    const options = { topK: settings.topK, begins: begins(settings) };
    const begun = fusion === null ? [] : (await this.#parts.fusions.about(fusion)).parties;
    return Promise.all(
      models.map(async (model, i) => {
        const folderOf = (scale: LogitScale) =>
          representationFolder(model, documents.hash, { ...options, scale });
        const raw = await folderOf("raw");
        const isRaw = settings.profile !== "studio" || begun[i]?.representation === raw;
        const scale = isRaw ? "raw" : "log-probabilities";
        return { model, scale, folder: isRaw ? raw : await folderOf(scale) };
      }),
    );
  }

  /** Writer of the result; null where the fusion is complete. */
  async #openWriter(
    fusion: FusionId | null,
    members: readonly RepresentedModel[],
  ): Promise<FusionWriter | null> {
    const { fusions } = this.#parts;
    const { settings, name } = this.#request;
    if (fusion !== null) {
      const card = await fusions.card(fusion);
      return card.state === "complete" ? null : fusions.resume(fusion);
    }
    const [{ model: pivot }] = members as readonly [RepresentedModel];
    return fusions.begin({
      name,
      origin: "fuse",
      settings,
      vocabSize: pivot.vocabSize ?? pivot.tokenizer.vocabSize,
      parties: members.map(({ model, folder }) => ({
        model: model.name,
        id: model.id,
        representation: folder,
      })),
    });
  }

  async #bridge(
    [pivot, ...sources]: readonly RepresentedModel[],
    stage: StageParts,
  ): Promise<readonly SourceBridge[]> {
    const bridges: SourceBridge[] = [];
    for (const [i, source] of sources.entries()) {
      const folder = groupsFolder(this.#context.id, i);
      bridges.push(await bridgeSource(pivot as RepresentedModel, source, folder, stage));
    }
    return bridges;
  }
}

function nothingFused({ documents, fused }: FuseState): EngineError {
  const [first] = droppedCard({ ...documents.dropped, ...fused.dropped });
  const why = first ? ` Most often: ${first.reason}, ${first.count} times.` : "";
  return new EngineError("usage", `The datasets hold nothing that can be fused.${why}`);
}

function notesOn(models: readonly FusionModel[], { padding }: FuseState): readonly string[] {
  return models.flatMap(({ name, vocabSize, tokenizer }) => {
    const wider = vocabSize === null ? 0 : vocabSize - tokenizer.vocabSize;
    if (wider <= 0) return [];
    const rows = padding[name] ?? 0;
    return [
      `${name} has ${wider} logits more than tokens; they were left out${rows > 0 ? `, in ${rows} rows from among the likeliest` : ""}.`,
    ];
  });
}

const asNote = ({ reason, count }: { readonly reason: string; readonly count: number }) =>
  `Left out ${count} times: ${reason}`;
