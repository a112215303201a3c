import { randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { hasEnded, ownIdentity, type ProcessIdentity } from "./processes.ts";
import { writeWhole } from "./wholeWrites.ts";

/**
 * Name of a lock file: `lock`, or `lock.2` and so on of processes that took over from an ended one.
 */
const LOCK = /^lock(?:\.([1-9]\d*))?$/;

interface Owner extends ProcessIdentity {
  /** Distinguishes two locks of one process. */
  readonly token: string;
}

/** A lock that is held. */
export interface FolderLock {
  /** Releases the lock: removes its own file only. */
  release(): Promise<void>;
}

/** Whether an entry of a work folder is a lock file. */
export const isLockFile = (name: string): boolean => LOCK.test(name);

/**
 * Takes the lock of `folder`, whose files are in `work`; `busy` while an owner lives, or cannot be
 * seen from here. The newest file counts. A process that finds its owner ended creates the next
 * file, which the file system grants to one process only, so that no process removes another's
 * file.
 */
export async function takeLock(
  work: string,
  folder: string,
  identity: () => Promise<ProcessIdentity> = ownIdentity,
): Promise<FolderLock> {
  const own: Owner = { ...(await identity()), token: randomUUID() };
  const newest = await findNewest(work);
  if (newest > 0) await requireEnded(pathOf(work, newest), folder, own);
  const path = pathOf(work, newest + 1);
  const handle = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    const message = `${folder} was taken by another process a moment ago. Wait for it or choose another folder.`;
    throw new EngineError("busy", message, { folder, lock: path });
  });
  try {
    await writeOwner(handle, own);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return {
    async release() {
      if ((await readOwner(path))?.token === own.token) await rm(path, { force: true });
    },
  };
}

const pathOf = (work: string, number: number) =>
  join(work, number === 1 ? "lock" : `lock.${number}`);

/** Number of the newest lock file; 0 where there is none. */
async function findNewest(work: string): Promise<number> {
  const numbers = (await readdir(work)).flatMap((name) => {
    const found = LOCK.exec(name);
    return found ? [Number(found[1] ?? 1)] : [];
  });
  return Math.max(0, ...numbers);
}

async function writeOwner(handle: FileHandle, own: Owner): Promise<void> {
  try {
    await writeWhole(handle, new TextEncoder().encode(JSON.stringify(own)), 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Throws `busy` unless the owner of a lock file has certainly ended. */
async function requireEnded(path: string, folder: string, own: Owner): Promise<void> {
  const owner = await readOwner(path);
  if (owner && (await hasEnded(owner, own))) return;
  const where = owner && owner.host !== own.host ? ` on ${owner.host}` : "";
  const who = owner ? `process ${owner.pid}${where}` : "a process that cannot be told";
  const message = `${folder} is being written by ${who}. Wait for it or choose another folder; if you know that it has ended, delete ${path} and run the same command again.`;
  throw new EngineError("busy", message, { folder, lock: path, owner: owner?.pid ?? 0 });
}

/** Owner of a lock file; null where it cannot be read, as while it is being written. */
async function readOwner(path: string): Promise<Owner | null> {
  const text = await readFile(path, "utf8").catch(() => "");
  // Version 0.1.0 wrote only the id of a process on this machine.
  if (/^\d+$/.test(text))
    return { ...(await ownIdentity()), pid: Number(text), startedAt: null, token: "" };
  try {
    const { host, boot, ids, pid, startedAt, token } = JSON.parse(text) as Partial<Owner>;
    const told = typeof host === "string" && typeof pid === "number" && typeof token === "string";
    return told
      ? { host, boot: boot ?? null, ids: ids ?? null, pid, startedAt: startedAt ?? null, token }
      : null;
  } catch {
    return null;
  }
}
