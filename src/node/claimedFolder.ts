import { lstat, mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { fileFailure, guarded } from "./files.ts";
import { readJson } from "./jsonFile.ts";
import { isLockFile, takeLock } from "./lockFile.ts";
import type { ProcessIdentity } from "./processes.ts";

/** Folder, inside the one being written, for the state of unfinished work. */
export const WORK_FOLDER = ".fusestudio";
/** File with the work's key and last state, which marks resumable work. */
export const STATE_FILE = "state.json";
/** Folder of results that only the unfinished work needs. */
export const STAGES_FOLDER = "stages";

/** Files of file managers and Git in a folder that users consider empty. */
const NOTHING: ReadonlySet<string> = new Set([
  ".DS_Store",
  ".gitkeep",
  ".keep",
  "Thumbs.db",
  "desktop.ini",
]);

/** A folder that this process may write until it is released. */
export interface ClaimedFolder {
  /** Folder inside it for unfinished work. */
  readonly work: string;
  /** Releases the lock; written files stay. */
  release(): Promise<void>;
  /**
   * Removes the work folder, then the lock, and the folder itself where it was created and stayed
   * empty.
   */
  clear(): Promise<void>;
}

/**
 * Claims `folder` for a merge or other work, creating it where missing. `permission` where it
 * cannot be written, or holds anything but unfinished work; `busy` while another process writes
 * there.
 */
export async function claimFolder(
  folder: string,
  what: "merge" | "work",
  identity?: () => Promise<ProcessIdentity>,
): Promise<ClaimedFolder> {
  const made = await makeFolder(folder);
  const work = join(folder, WORK_FOLDER);
  await requireOwn(folder, what, WORK_FOLDER);
  await makeFolder(work);
  await requireNoLink(work);
  const lock = await guarded(folder, () => takeLock(work, folder, identity));
  const removeEmpty = async () => {
    await rmdir(work).catch(() => undefined); // not empty: another came when the lock was gone
    if (made) await rmdir(folder).catch(() => undefined); // not empty: it holds the result
  };
  try {
    // An earlier writer may have finished before the lock was taken.
    await requireOwn(folder, what, join(WORK_FOLDER, STATE_FILE));
  } catch (error) {
    await lock.release();
    await removeEmpty();
    throw error;
  }
  return {
    work,
    release: () => lock.release(),
    clear: () =>
      guarded(folder, async () => {
        const names = await readdir(work).catch(() => []);
        // The state is removed last, so that an interrupted removal can be repeated; then the
        // locks.
        const rank = (name: string) => Number(isLockFile(name)) * 2 + Number(name === STATE_FILE);
        for (const name of names.sort((a, b) => rank(a) - rank(b))) {
          await rm(join(work, name), { recursive: true, force: true });
        }
        await removeEmpty();
      }),
  };
}

/** The key of the unfinished work in a folder; null where there is none, or none that can be read. */
export async function readWorkKey(folder: string): Promise<string | null> {
  const path = join(folder, WORK_FOLDER, STATE_FILE);
  const state = await readJson<{ readonly key?: string }>(path).catch(() => null);
  return state?.key ?? null;
}

/** Refuses a folder that is not empty and lacks the file that marks unfinished work. */
async function requireOwn(folder: string, what: "merge" | "work", mark: string): Promise<void> {
  const names = await guarded(folder, () => readdir(folder));
  const entries = names.filter((name) => name !== WORK_FOLDER && !NOTHING.has(name)).length;
  if (entries === 0 || (await exists(join(folder, mark)))) return;
  throw new EngineError(
    "permission",
    `${folder} is not empty and holds no unfinished ${what}. Choose a new or an empty folder.`,
    { folder, entries },
  );
}

/** A link would lead to files of others, which are not ours to overwrite or to clear away. */
async function requireNoLink(work: string): Promise<void> {
  const about = await guarded(work, () => lstat(work));
  if (!about.isSymbolicLink()) return;
  const message = `${work} is a link to another folder. Remove the link or choose another folder.`;
  throw new EngineError("permission", message, { folder: work });
}

const exists = (path: string) => stat(path).then(Boolean, () => false);

/**
 * Creates a folder and its parents, and returns whether it was missing. One at a time: Node's
 * recursive `mkdir` never returns under /proc.
 */
async function makeFolder(folder: string): Promise<boolean> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw cannotWrite(folder, error);
  });
  if (found?.isDirectory()) return false;
  if (found) throw cannotWrite(folder, { code: "ENOTDIR" });
  const above = dirname(folder);
  if (above !== folder) await makeFolder(above);
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process may have created it first.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw cannotWrite(folder, error);
  }
  return true;
}

function cannotWrite(folder: string, error: unknown): EngineError {
  const failure = fileFailure(error, folder);
  if (failure.code === "quota") return failure;
  const { code = "" } = error as NodeJS.ErrnoException;
  const reason = code === "ENOTDIR" ? "it is, or lies in, a file" : `the system says ${code}`;
  return new EngineError(
    "permission",
    `${folder} cannot be a folder to write into: ${reason}. Choose another place.`,
    { folder, system: code },
    error,
  );
}
