import { promisifyRequest, type UseStore } from "idb-keyval";
import { EngineError } from "../../contract/index.ts";

/**
 * Store of many small records of bytes, in order, by folder: representations and fused documents.
 */
export interface RecordStore {
  /** Number of records in a folder; 0 where it does not exist. */
  count(folder: string): Promise<number>;
  /**
   * Appends records in order and returns the index of the first. After a crash or a full disk some
   * of them may be stored: `count` tells where to continue. One writer per folder.
   */
  append(folder: string, records: readonly Uint8Array<ArrayBuffer>[]): Promise<number>;
  /** Records [from, from + count), fewer at the end. */
  read(folder: string, from: number, count: number): Promise<readonly Uint8Array<ArrayBuffer>[]>;
  /** Folders with at least one record. */
  folders(): Promise<readonly string[]>;
  /** Deletes a folder and its records. */
  deleteFolder(folder: string): Promise<void>;
}

/** One record; `missing-file` where there is none. */
export async function readRecord(
  store: RecordStore,
  folder: string,
  index: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const [record] = await store.read(folder, index, 1);
  if (record) return record;
  const message = `Record ${index} of ${folder} is not there; the browser may have cleared it. Delete the fusion and run it again.`;
  throw new EngineError("missing-file", message, { folder, index });
}

/** Records read in one transaction and held in memory together. */
const BATCH = 64;

/**
 * Records of a folder starting with index `from`, read in batches; smaller batches where records
 * are large.
 */
export async function* readRecords(
  store: RecordStore,
  folder: string,
  from = 0,
  batch = BATCH,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = from; ; at += batch) {
    const found = await store.read(folder, at, batch);
    yield* found;
    if (found.length < batch) return;
  }
}

/** Plain data as a record, in JSON: NaN and infinities become null. */
export function encodePlain(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Plain data of a record that `encodePlain` made; unchecked. */
export function decodePlain<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

const folderRange = (folder: string) => IDBKeyRange.bound([folder], [folder, []]);
const partsOf = (key: IDBValidKey) => key as IDBValidKey[] as [string, number];

/** Records in an object store, under the keys [folder, n]. */
export function storeRecords(use: UseStore): RecordStore {
  /** One more than the last index: records are never deleted singly. */
  const countIn = async (store: IDBObjectStore, folder: string) => {
    const last = await promisifyRequest(store.openKeyCursor(folderRange(folder), "prev"));
    return last ? partsOf(last.key)[1] + 1 : 0;
  };
  return {
    count: (folder) => use("readonly", (store) => countIn(store, folder)),
    append: (folder, records) =>
      use("readwrite", async (store) => {
        const first = await countIn(store, folder);
        for (const [i, bytes] of records.entries()) store.add(bytes, [folder, first + i]);
        await promisifyRequest(store.transaction);
        return first;
      }),
    read: (folder, from, count) => {
      const range = IDBKeyRange.bound([folder, from], [folder, from + count], false, true);
      return use("readonly", (store) => promisifyRequest(store.getAll(range)));
    },
    folders: () =>
      use("readonly", async (store) => {
        const found: string[] = [];
        // Skips to the next folder: [folder, []] sorts after all its indices.
        for (let range: IDBKeyRange | null = null; ; ) {
          const cursor: IDBCursor | null = await promisifyRequest(store.openKeyCursor(range));
          if (!cursor) return found;
          const [folder] = partsOf(cursor.key);
          found.push(folder);
          range = IDBKeyRange.lowerBound([folder, []], true);
        }
      }),
    deleteFolder: (folder) =>
      use("readwrite", (store) => {
        store.delete(folderRange(folder));
        return promisifyRequest(store.transaction);
      }),
  };
}
