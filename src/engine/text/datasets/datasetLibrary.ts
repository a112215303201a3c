import { values as allValues, del, get, set } from "idb-keyval";
import { copyFile } from "../../checkpoint/copy.ts";
import { tidyName, uniqueName } from "../../checkpoint/names.ts";
import { type DatasetCard, type DatasetId, EngineError } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { makeId } from "../../core/id.ts";
import type { Database } from "../../storage/database.ts";
import type { ValueStore } from "../../storage/values.ts";

/** A dataset in the catalogue, beside the checkpoints. Written again, complete, after its bytes. */
interface DatasetRow {
  readonly type: "dataset";
  readonly state: "complete" | "partial";
  /** Name of the file, whose ending helps to detect its format. */
  readonly file: string;
  readonly card: DatasetCard;
}

/** Facts about a file from its first reading. */
export type DatasetFacts = Pick<DatasetCard, "kind" | "rows" | "problems" | "problemCount">;

/** Stored file of a dataset, parsed on use. */
export interface StoredDataset {
  readonly card: DatasetCard;
  readonly file: string;
  readonly source: ByteSource;
}

/** Library of the datasets in this browser. */
export interface DatasetLibrary {
  /** Cards, newest first. */
  list(): Promise<readonly DatasetCard[]>;
  /** Opens a dataset; `missing-file` where it was deleted. */
  open(id: DatasetId): Promise<StoredDataset>;
  /** Stores a file's bytes; the dataset is there when all of them are and the file did not change. */
  add(
    file: { readonly name: string; readonly source: ByteSource; readonly facts: DatasetFacts },
    options: {
      readonly signal: AbortSignal;
      onBytes(doneBytes: number): void;
      /** Throws where the file is no longer what its facts were read of. */
      requireUnchanged?(): Promise<void>;
    },
  ): Promise<DatasetCard>;
  /** Deletes a dataset and its bytes. */
  delete(id: DatasetId): Promise<void>;
}

const CONTENT = "content";
/** Age beyond which an unfinished dataset has no tab that would finish it. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Whether a row of the catalogue is a dataset's. */
function isDatasetRow(row: unknown): row is DatasetRow {
  return typeof row === "object" && row !== null && "type" in row && row.type === "dataset";
}

/** Datasets in this browser's IndexedDB: cards in `catalogue`, bytes in `values`. */
export async function openDatasets(
  database: Database,
  values: ValueStore,
): Promise<DatasetLibrary> {
  const catalogue = database.store("catalogue");
  const rows = async () => (await allValues<unknown>(catalogue)).filter(isDatasetRow);

  async function remove(id: DatasetId): Promise<void> {
    await values.deleteFolder(id);
    await del(id, catalogue);
  }

  for (const { state, card } of await rows()) {
    if (state === "partial" && Date.now() - card.createdAt > ABANDONED_MS) await remove(card.id);
  }

  async function row(id: DatasetId): Promise<DatasetRow> {
    const found = await get<unknown>(id, catalogue);
    if (isDatasetRow(found) && found.state === "complete") return found;
    throw new EngineError("missing-file", "The library has no such dataset; it may be deleted.", {
      dataset: id,
    });
  }

  return {
    async list() {
      const complete = (await rows()).filter(({ state }) => state === "complete");
      return complete.map(({ card }) => card).sort((a, b) => b.createdAt - a.createdAt);
    },
    async open(id) {
      const { card, file } = await row(id);
      return { card, file, source: values.source(id, CONTENT, card.byteLength) };
    },
    async add({ name, source, facts }, { signal, onBytes, requireUnchanged }) {
      const id = makeId();
      const { byteLength } = source;
      const taken = new Set((await rows()).map(({ card }) => card.name));
      const shown = uniqueName(tidyName(name), taken);
      const card = { ...facts, id, name: shown, byteLength, createdAt: Date.now() };
      const fresh: DatasetRow = { type: "dataset", state: "partial", file: name, card };
      // The row is written first: bytes without one count as left over from a deleted model.
      await set(id, fresh, catalogue);
      try {
        const sink = await values.sink(id, CONTENT, byteLength);
        await copyFile(source, sink, { signal, onBytes });
        await requireUnchanged?.();
        await set(id, { ...fresh, state: "complete" }, catalogue);
      } catch (error) {
        await remove(id).catch(() => undefined);
        throw error;
      }
      return card;
    },
    async delete(id) {
      await row(id);
      await remove(id);
    },
  };
}
