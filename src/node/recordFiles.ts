import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import {
  FRAME_HEADER_BYTES,
  frameRecord,
  isRecordFile,
  RECORD_FILE_MAGIC,
  type RecordPlace,
  walkRecords,
} from "../engine/fuse/dataset/recordFile.ts";
import type { RecordStore } from "../engine/fuse/dataset/recordStore.ts";
import { guarded } from "./files.ts";
import { type OpenFile, writeWhole } from "./wholeWrites.ts";

const ENDING = ".records";

interface OpenFolder {
  readonly handle: FileHandle;
  readonly places: RecordPlace[];
  end: number;
}

/** Record store in files on disk. */
export interface RecordFiles extends RecordStore {
  close(): Promise<void>;
}

/**
 * Records in one file per folder, below `root`. A record that a crash tore is dropped with all that
 * follow when its file is opened.
 */
export function openRecordFiles(root: string, openAt: OpenFile = open): RecordFiles {
  const opened = new Map<string, Promise<OpenFolder | null>>();
  /** Appends to one file run one after the other. */
  const appending = new Map<string, Promise<unknown>>();
  const pathOf = (folder: string) => join(root, `${encodeURIComponent(folder)}${ENDING}`);

  const guard = <T>(folder: string, work: () => Promise<T>) => guarded(pathOf(folder), work);

  /** Opens a file once; null where it is missing and not to be created. */
  async function openFolder(folder: string, create: boolean): Promise<OpenFolder | null> {
    const known = opened.get(folder);
    if (known) {
      const file = await known;
      return file || !create ? file : openFolder(folder, create);
    }
    const opening = openRecords(pathOf(folder), create, openAt);
    opened.set(folder, opening);
    const keep = await opening.catch((error) => {
      opened.delete(folder);
      throw error;
    });
    if (!keep) opened.delete(folder);
    return keep;
  }

  async function append(folder: string, records: readonly Uint8Array[]): Promise<number> {
    await mkdir(root, { recursive: true });
    const file = (await openFolder(folder, true)) as OpenFolder;
    const first = file.places.length;
    for (const bytes of records) {
      const framed = frameRecord(bytes);
      await writeWhole(file.handle, framed, file.end).catch(async (error: unknown) => {
        // A partly written record is removed, as it would be when the file is next opened.
        await file.handle.truncate(file.end).catch(() => undefined);
        throw error;
      });
      const start = file.end + FRAME_HEADER_BYTES;
      file.places.push({ start, byteLength: bytes.byteLength });
      file.end += framed.byteLength;
    }
    return first;
  }

  return {
    count: (folder) =>
      guard(folder, async () => (await openFolder(folder, false))?.places.length ?? 0),
    append(folder, records) {
      const before = appending.get(folder) ?? Promise.resolve();
      const own = before
        .catch(() => undefined)
        .then(() => guard(folder, () => append(folder, records)));
      appending.set(folder, own);
      return own;
    },
    read: (folder, from, count) =>
      guard(folder, async () => {
        const file = await openFolder(folder, false);
        const places = file?.places.slice(from, from + count) ?? [];
        return Promise.all(places.map((place) => readBytes((file as OpenFolder).handle, place)));
      }),
    folders: async () => {
      const names = await readdir(root).catch(() => []);
      return names
        .filter((name) => name.endsWith(ENDING))
        .map((name) => decodeURIComponent(name.slice(0, -ENDING.length)));
    },
    deleteFolder: (folder) =>
      guard(folder, async () => {
        const file = await opened.get(folder)?.catch(() => null);
        opened.delete(folder);
        await file?.handle.close();
        await rm(pathOf(folder), { force: true });
      }),
    close: async () => {
      const files = await Promise.all([...opened.values()]);
      opened.clear();
      for (const file of files) await file?.handle.close();
    },
  };
}

async function openHandle(
  path: string,
  create: boolean,
  openAt: OpenFile,
): Promise<FileHandle | null> {
  try {
    return await openAt(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return create ? openAt(path, "w+") : null;
  }
}

async function readBytes(
  handle: FileHandle,
  { start, byteLength }: RecordPlace,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(byteLength);
  for (let done = 0; done < byteLength; ) {
    const { bytesRead } = await handle.read(bytes, done, byteLength - done, start + done);
    if (bytesRead === 0) throw tooShort(start + byteLength);
    done += bytesRead;
  }
  return bytes;
}

const tooShort = (end: number) =>
  new EngineError("truncated", `A file of records ends before byte ${end}.`);

/** Opens a folder's file; the handle is closed again on failure. */
async function openRecords(
  path: string,
  create: boolean,
  openAt: OpenFile,
): Promise<OpenFolder | null> {
  const handle = await openHandle(path, create, openAt);
  try {
    return handle && (await scan(handle, path));
  } catch (error) {
    await handle?.close();
    throw error;
  }
}

/** Finds the records and cuts off what a crash left behind them. */
async function scan(handle: FileHandle, path: string): Promise<OpenFolder> {
  const { size } = await handle.stat();
  const file = {
    byteLength: size,
    read: (start: number, byteLength: number) => readBytes(handle, { start, byteLength }),
  };
  if (size < RECORD_FILE_MAGIC.byteLength) {
    await handle.truncate(0);
    await writeWhole(handle, RECORD_FILE_MAGIC, 0);
    return { handle, places: [], end: RECORD_FILE_MAGIC.byteLength };
  }
  if (!(await isRecordFile(file))) {
    throw new EngineError("bad-header", `${path} is no file of records; move it away.`, { path });
  }
  const places: RecordPlace[] = [];
  const records = walkRecords(file);
  for (;;) {
    const next = await records.next();
    if (next.done) {
      await handle.truncate(next.value.end);
      return { handle, places, end: next.value.end };
    }
    const { start, byteLength } = next.value;
    places.push({ start, byteLength });
  }
}
