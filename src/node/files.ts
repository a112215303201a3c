import type { BigIntStats } from "node:fs";
import { type FileHandle, open, opendir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import type { ByteSource, FileTree } from "../engine/core/bytes.ts";
import { changedError } from "../engine/core/inputs.ts";
import { invariant } from "../engine/core/invariant.ts";
import { hashSamples } from "../engine/storage/hash.ts";

/** Largest number of files in a folder: more than any checkpoint has. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 6;

/** Files of a folder for the engine, with their open handles. */
export interface OpenFiles {
  readonly files: FileTree;
  /** Bytes read so far. */
  bytesRead(): number;
  close(): Promise<void>;
}

interface Found {
  readonly path: string;
  readonly about: BigIntStats;
}

/**
 * State of a file in its file system. Size and mtime can be set back after a change; ctime cannot,
 * and a replaced file has another inode.
 */
const stateOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats) =>
  [size, mtimeNs, ctimeNs, ino].join(" ");

/** Failure of the file system as an `EngineError`. */
export function fileFailure(error: unknown, path: string): EngineError {
  if (error instanceof EngineError) return error;
  const { code = "", message = String(error) } = error as NodeJS.ErrnoException;
  const details = { path, system: code };
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new EngineError("missing-file", `${path} does not exist.`, details, error);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new EngineError("permission", `${path}: no permission (${code}).`, details, error);
    case "ENOSPC":
    case "EDQUOT":
      return new EngineError(
        "quota",
        `${path}: the disk is full. Free some space and run the same command again: it resumes.`,
        details,
        error,
      );
    default:
      return new EngineError("internal", `${path}: ${message}`, details, error);
  }
}

/** Result of `act`; errors of the disk get the file's path. */
export async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileFailure(error, path);
  }
}

/** A file on disk, opened at the first read. */
class FileSource implements ByteSource {
  readonly byteLength: number;
  readonly #path: string;
  /** State when it was listed. */
  readonly #state: string;
  #handle: Promise<FileHandle> | undefined;
  bytesRead = 0;

  constructor(path: string, about: BigIntStats) {
    this.#path = path;
    this.#state = stateOf(about);
    this.byteLength = Number(about.size);
  }

  /** Mark of the file now at the path, which may not be the open one; `changed` where it is not. */
  async mark(): Promise<string> {
    const now = new FileSource(this.#path, await this.#statNow());
    if (now.#state !== this.#state) throw changedError(this.#path);
    try {
      return `${now.#state} ${await hashSamples(now)}`;
    } finally {
      await now.close();
    }
  }

  async #statNow(): Promise<BigIntStats> {
    return guarded(this.#path, () => stat(this.#path, { bigint: true }));
  }

  async read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    invariant(start >= 0 && length >= 0, "ranges are not negative");
    if (!(start + length <= this.byteLength)) throw this.#truncated(start + length);
    this.#handle ??= open(this.#path, "r");
    try {
      const handle = await this.#handle;
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, start + done);
        if (bytesRead === 0) throw this.#truncated(start + length);
        done += bytesRead;
      }
      this.bytesRead += length;
      return bytes;
    } catch (error) {
      throw fileFailure(error, this.#path);
    }
  }

  async close(): Promise<void> {
    const handle = await this.#handle?.catch(() => undefined);
    this.#handle = undefined;
    await handle?.close();
  }

  #truncated(end: number): EngineError {
    const message = `${this.#path} ends before byte ${end}; it had ${this.byteLength} bytes when it was opened.`;
    return new EngineError("truncated", message, {
      path: this.#path,
      end,
      byteLength: this.byteLength,
    });
  }
}

/** Regular files below `folder`; links to files count, as in the Hub's cache. */
async function listFiles(folder: string, prefix = "", depth = 0): Promise<readonly Found[]> {
  const found: Found[] = [];
  for await (const entry of await opendir(join(folder, prefix))) {
    // Links to folders are not followed, so that paths stay inside the folder and are finite.
    if (entry.name.startsWith(".")) continue;
    const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth >= MAX_DEPTH) continue;
      for (const file of await listFiles(folder, path, depth + 1)) found.push(file);
    } else {
      const about = await stat(join(folder, path), { bigint: true }).catch(() => undefined);
      if (about?.isFile()) found.push({ path, about });
    }
    if (found.length > MAX_FILES) {
      throw new EngineError(
        "usage",
        `${folder} holds more than ${MAX_FILES} files; name the folder of one checkpoint.`,
        { folder, limit: MAX_FILES },
      );
    }
  }
  return found;
}

/** What a path is; `permission` for pipes and devices, which would be waited for or read without an end. */
async function statInput(path: string): Promise<BigIntStats> {
  const about = await stat(path, { bigint: true });
  if (about.isFile() || about.isDirectory()) return about;
  const message = `${path} is a pipe or a device. Write what it holds into a file and name that.`;
  throw new EngineError("permission", message, { path });
}

/** A whole file; `usage` where it has more than `limit` bytes. */
export async function readInput(path: string, limit: number): Promise<Uint8Array> {
  return guarded(path, async () => {
    const about = await statInput(path);
    if (about.isDirectory()) {
      throw new EngineError("usage", `${path} is a folder; name a file in it.`, { path });
    }
    if (about.size <= limit) return readFile(path);
    const message = `${path} has ${about.size} bytes; at most ${limit} are read.`;
    throw new EngineError("usage", message, { path, size: Number(about.size), limit });
  });
}

/** Opens a checkpoint folder, or one file as a folder of its own. Nothing is read yet. */
export async function openFiles(path: string): Promise<OpenFiles> {
  try {
    const about = await statInput(path);
    const isFolder = about.isDirectory();
    const found = isFolder
      ? [...(await listFiles(path))].sort((a, b) => (a.path < b.path ? -1 : 1))
      : [{ path: basename(path), about }];
    const files = new Map(
      found.map((file) => [
        file.path,
        new FileSource(isFolder ? join(path, file.path) : path, file.about),
      ]),
    );
    return {
      files,
      bytesRead: () => [...files.values()].reduce((sum, file) => sum + file.bytesRead, 0),
      close: async () => {
        for (const file of files.values()) await file.close();
      },
    };
  } catch (error) {
    throw fileFailure(error, path);
  }
}
