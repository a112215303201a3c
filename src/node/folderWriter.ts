import { type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import type { ByteSink, FileTreeWriter } from "../engine/core/bytes.ts";
import { invariant } from "../engine/core/invariant.ts";
import { claimFolder, STAGES_FOLDER, STATE_FILE, WORK_FOLDER } from "./claimedFolder.ts";
import { guarded } from "./files.ts";
import { readJson, writeJson } from "./jsonFile.ts";
import { type OpenFile, writeWhole } from "./wholeWrites.ts";

interface FileState {
  readonly byteLength: number;
  durableBytes: number;
}

/** Stored state. */
interface State {
  /** Key of the result: a resume with another key would mix two results. */
  readonly key: string;
  readonly files: Readonly<Record<string, FileState>>;
}

/** Writer of a folder, locked against a second writer. */
export interface FolderWriter extends FileTreeWriter {
  /** Bytes that an earlier run left durable; 0 for a new folder. */
  readonly resumedBytes: number;
  /** Path of an open file on disk while it is not sealed. */
  locate(path: string): Promise<string>;
  /** Bytes written by this writer. */
  bytesWritten(): number;
  /** Closes open files and releases the lock. Durable bytes stay; an empty folder is removed. */
  close(): Promise<void>;
}

/** What an earlier run left of each file, by path; `permission` where it had none of these keys. */
async function readFiles(path: string, folder: string, keys: readonly string[]) {
  const state = await readJson<State>(path);
  if (!state || keys.includes(state.key)) return new Map(Object.entries(state?.files ?? {}));
  throw new EngineError(
    "permission",
    `${folder} holds an unfinished merge of another recipe, or of models that were changed since. Choose another folder, or delete this one.`,
    { folder },
  );
}

/** Whether a file exists and holds at least so many bytes. */
async function hasBytes(path: string, byteLength: number): Promise<boolean> {
  return stat(path).then(
    ({ size }) => size >= byteLength,
    () => false,
  );
}

function finishedSink(path: string, byteLength: number): ByteSink {
  return {
    durableBytes: byteLength,
    append: async (bytes) => invariant(bytes.byteLength === 0, `${path} is complete`),
    flush: async () => undefined,
  };
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there, and need not be
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}

function checkPath(path: string): void {
  const bad = path.split("/").some((part) => part === "" || part === "." || part === "..");
  invariant(!bad && !path.includes("\\") && !path.startsWith(WORK_FOLDER), `a plain path: ${path}`);
}

/**
 * Opens `folder` for writing, or goes on with what an earlier run began there under the same `key`, or
 * under one of the `earlier` ones that another version had for the same work. Files appear under their
 * own names at `seal`, all of them complete.
 */
export async function openFolderWriter(
  folder: string,
  key: string,
  {
    earlier = [],
    openFile = open,
  }: { readonly earlier?: readonly string[]; readonly openFile?: OpenFile } = {},
): Promise<FolderWriter> {
  const claimed = await claimFolder(folder, "merge");
  const { work } = claimed;
  const statePath = join(work, STATE_FILE);
  const handles = new Map<string, FileHandle>();
  const files = await readFiles(statePath, folder, [key, ...earlier]).catch(
    async (error: unknown) => {
      await claimed.release();
      throw error;
    },
  );

  const fresh = files.size === 0;
  let bytesWritten = 0;
  let sealed = false;
  let saving = Promise.resolve();
  /** Replaces the state atomically; calls run one after the other. */
  const save = () => {
    saving = saving
      .catch(() => undefined)
      .then(() => writeJson(statePath, { key, files: Object.fromEntries(files) }, openFile));
    return saving;
  };
  // The state is written before any measuring, to mark the folder as claimed.
  if (fresh) {
    await save().catch(async (error: unknown) => {
      await claimed.clear();
      throw error;
    });
  }

  const openSink = async (path: string, byteLength: number): Promise<ByteSink> => {
    checkPath(path);
    const part = join(work, "parts", path);
    const known = files.get(path);
    const entry = known?.byteLength === byteLength ? known : { byteLength, durableBytes: 0 };
    if (!(await hasBytes(part, entry.durableBytes))) {
      // An earlier run that ended while sealing has moved its finished files already.
      if (entry.durableBytes === byteLength && (await hasBytes(join(folder, path), byteLength))) {
        return finishedSink(path, byteLength);
      }
      entry.durableBytes = 0;
    }
    files.set(path, entry);
    await mkdir(dirname(part), { recursive: true });
    await handles.get(path)?.close();
    const handle = await openFile(part, entry.durableBytes > 0 ? "r+" : "w");
    handles.set(path, handle);
    // Bytes after the last flush may be missing after a crash: they are written again.
    await handle.truncate(entry.durableBytes);
    let offset = entry.durableBytes;
    return {
      get durableBytes() {
        return entry.durableBytes;
      },
      append: (bytes) =>
        guarded(path, async () => {
          invariant(offset + bytes.byteLength <= byteLength, `${path} stays within its length`);
          await writeWhole(handle, bytes, offset);
          offset += bytes.byteLength;
          bytesWritten += bytes.byteLength;
        }),
      flush: () =>
        guarded(path, async () => {
          const written = offset;
          await handle.sync();
          entry.durableBytes = written;
          await save();
        }),
    };
  };
  const closeHandles = async () => {
    for (const handle of handles.values()) await handle.close().catch(() => undefined);
    handles.clear();
  };
  return {
    resumedBytes: [...files.values()].reduce((sum, file) => sum + file.durableBytes, 0),
    bytesWritten: () => bytesWritten,
    locate: async (path) => {
      const part = join(work, "parts", path);
      return (await hasBytes(part, 0)) ? part : join(folder, path);
    },
    open: (path, byteLength) => guarded(path, () => openSink(path, byteLength)),
    seal: () =>
      guarded(folder, async () => {
        for (const handle of handles.values()) await handle.sync();
        await closeHandles();
        await saving;
        await moveOut(folder, work, files);
        sealed = true;
        await claimed.clear();
      }),
    close: async () => {
      await saving.catch(() => undefined);
      await closeHandles();
      if (sealed) return;
      const begun = bytesWritten > 0 || (await hasBytes(join(work, STAGES_FOLDER), 0));
      await (fresh && !begun ? claimed.clear() : claimed.release());
    },
  };
}

/** Renames each part to its file's name. */
async function moveOut(
  folder: string,
  work: string,
  files: ReadonlyMap<string, FileState>,
): Promise<void> {
  for (const [path, { byteLength }] of files) {
    const part = join(work, "parts", path);
    // A missing part was renamed by a run that ended inside this loop.
    const from = await stat(part).catch(() => stat(join(folder, path)));
    invariant(from.size === byteLength, `${path} has ${from.size} of ${byteLength} bytes`);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await rename(part, join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  await syncFolder(folder);
}
