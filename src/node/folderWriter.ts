import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import type { ByteSink, FileTreeWriter } from "../engine/core/bytes.ts";
import { invariant } from "../engine/core/invariant.ts";
import { guarded } from "./files.ts";
import { readJson } from "./jsonFile.ts";
import { takeLock } from "./lockFile.ts";

/** Unfinished files and what is durable of them live here, inside the folder being written. */
const WORK_FOLDER = ".fusestudio";

interface State {
  /** What is being written: a resume with another key would mix two results. */
  readonly key: string;
  readonly files: Record<string, { readonly byteLength: number; durableBytes: number }>;
}

/** A folder being written, locked against a second writer. */
export interface FolderWriter extends FileTreeWriter {
  /** Bytes that an earlier run left durable; 0 for a fresh folder. */
  readonly resumedBytes: number;
  /** Where a file that was opened lies on disk while it is not sealed. */
  locate(path: string): Promise<string>;
  /** Bytes that this writer took. */
  bytesWritten(): number;
  /** Closes what is open and gives up the lock. What is durable stays; an empty folder goes. */
  close(): Promise<void>;
}

/** Refuses a folder with files that we did not put there; makes one that is missing. */
async function claimFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes(WORK_FOLDER)) {
    throw new EngineError(
      "permission",
      `${folder} is not empty and holds no unfinished merge. Choose a new or an empty folder.`,
      { folder, entries: names.length },
    );
  }
  await mkdir(join(folder, WORK_FOLDER, "parts"), { recursive: true });
}

async function readState(path: string, folder: string, key: string): Promise<State> {
  const state = await readJson<State>(path);
  if (!state) return { key, files: {} };
  if (state.key === key) return state;
  throw new EngineError(
    "permission",
    `${folder} holds an unfinished merge of another recipe. Choose another folder, or delete this one.`,
    { folder },
  );
}

/** True where the file is there and holds at least so many bytes. */
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
 * Opens `folder` for writing, or goes on with what an earlier run began there under the same `key`.
 * Files appear under their own names at `seal`, all of them complete.
 */
export async function openFolderWriter(folder: string, key: string): Promise<FolderWriter> {
  const work = join(folder, WORK_FOLDER);
  const statePath = join(work, "state.json");
  const handles = new Map<string, FileHandle>();
  const state = await guarded(folder, async () => {
    await claimFolder(folder);
    await takeLock(join(work, "lock"), folder);
    try {
      return await readState(statePath, folder, key);
    } catch (error) {
      await rm(join(work, "lock"), { force: true });
      throw error;
    }
  });

  const fresh = Object.keys(state.files).length === 0;
  let bytesWritten = 0;
  let saving = Promise.resolve();
  /** Replaces the state at once; calls run one after the other. */
  const save = () => {
    saving = saving
      .catch(() => undefined)
      .then(async () => {
        const handle = await open(`${statePath}.new`, "w");
        await handle.writeFile(JSON.stringify(state));
        await handle.sync().finally(() => handle.close());
        await rename(`${statePath}.new`, statePath);
      });
    return saving;
  };

  const openSink = async (path: string, byteLength: number): Promise<ByteSink> => {
    checkPath(path);
    const part = join(work, "parts", path);
    const known = state.files[path];
    const entry = known?.byteLength === byteLength ? known : { byteLength, durableBytes: 0 };
    if (!(await hasBytes(part, entry.durableBytes))) {
      // A run that ended while it sealed has moved its finished files already.
      if (entry.durableBytes === byteLength && (await hasBytes(join(folder, path), byteLength))) {
        return finishedSink(path, byteLength);
      }
      entry.durableBytes = 0;
    }
    state.files[path] = entry;
    await mkdir(dirname(part), { recursive: true });
    await handles.get(path)?.close();
    const handle = await open(part, entry.durableBytes > 0 ? "r+" : "w");
    handles.set(path, handle);
    // What was written after the last flush may have holes: it is written again.
    await handle.truncate(entry.durableBytes);
    let offset = entry.durableBytes;
    return {
      get durableBytes() {
        return entry.durableBytes;
      },
      append: (bytes) =>
        guarded(path, async () => {
          invariant(offset + bytes.byteLength <= byteLength, `${path} stays within its length`);
          for (let done = 0; done < bytes.byteLength; ) {
            const { bytesWritten } = await handle.write(
              bytes,
              done,
              bytes.byteLength - done,
              offset + done,
            );
            done += bytesWritten;
          }
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
    resumedBytes: Object.values(state.files).reduce((sum, file) => sum + file.durableBytes, 0),
    bytesWritten: () => bytesWritten,
    locate: async (path) => {
      const part = join(work, "parts", path);
      return (await hasBytes(part, 0)) ? part : join(folder, path);
    },
    open: (path, byteLength) => guarded(path, () => openSink(path, byteLength)),
    seal: () => guarded(folder, () => seal(folder, work, state, handles, closeHandles)),
    close: async () => {
      await saving.catch(() => undefined);
      await closeHandles();
      await rm(join(work, "lock"), { force: true });
      if (fresh && bytesWritten === 0) {
        await rm(work, { recursive: true, force: true });
        await rmdir(folder).catch(() => undefined); // not empty: it is sealed
      }
    },
  };
}

async function seal(
  folder: string,
  work: string,
  state: State,
  handles: ReadonlyMap<string, FileHandle>,
  closeHandles: () => Promise<void>,
): Promise<void> {
  for (const handle of handles.values()) await handle.sync();
  await closeHandles();
  for (const [path, { byteLength }] of Object.entries(state.files)) {
    const part = join(work, "parts", path);
    // A part that is gone was moved by a run that ended in the middle of this loop.
    const from = await stat(part).catch(() => stat(join(folder, path)));
    invariant(from.size === byteLength, `${path} has ${from.size} of ${byteLength} bytes`);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await rename(part, join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  await syncFolder(folder);
  await rm(work, { recursive: true, force: true });
}
