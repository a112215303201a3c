import { mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { fileFailure, guarded } from "./files.ts";
import { readJson } from "./jsonFile.ts";
import { isLockFile, takeLock } from "./lockFile.ts";
import type { ProcessIdentity } from "./processes.ts";

/** What unfinished work needs lies here, inside the folder being written. */
export const WORK_FOLDER = ".fusestudio";
/** The work's key and its last state. While it is there, the work can be gone on with. */
export const STATE_FILE = "state.json";

/** What file managers and Git leave in a folder that is empty to a person. */
const NOTHING: ReadonlySet<string> = new Set([
  ".DS_Store",
  ".gitkeep",
  ".keep",
  "Thumbs.db",
  "desktop.ini",
]);

/** A folder that is this process's to write until it is released. */
export interface ClaimedFolder {
  /** The folder inside it for what is unfinished. */
  readonly work: string;
  /** Gives up the lock; what was written stays. */
  release(): Promise<void>;
  /** Removes the work folder and then the lock, and a folder that was made for nothing. */
  clear(): Promise<void>;
}

/**
 * Claims `folder` for a merge or other work, making it where it is missing. `permission` where nothing
 * can be written, or anything lies that is not of unfinished work; `busy` while another writes there.
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
  const lock = await guarded(folder, () => takeLock(work, folder, identity));
  const removeEmpty = async () => {
    await rmdir(work).catch(() => undefined); // not empty: another came when the lock was gone
    if (made) await rmdir(folder).catch(() => undefined); // not empty: it holds the result
  };
  try {
    // Whoever wrote here before may have finished while the lock was taken.
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
        // The state goes last: until then another run can do this again. Only then the locks.
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

/** Refuses a folder with anything in it where the file that marks our own unfinished work is missing. */
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

const exists = (path: string) => stat(path).then(Boolean, () => false);

/**
 * Makes a folder and those above it, and tells whether it was missing. One at a time: Node's own
 * recursive `mkdir` never returns where the system makes no folders, as under /proc.
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
    // Another process may have been faster.
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
