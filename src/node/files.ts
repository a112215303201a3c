import { type FileHandle, open, opendir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ByteSource, FileTree } from "../engine/base/bytes.ts";
import { invariant } from "../engine/base/invariant.ts";
import { EngineError } from "../engine/contract/index.ts";

/** More files than any checkpoint has: beyond it somebody named a disk, not a model. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 6;

/** A folder's files as the engine sees them, and the handles to close at the end. */
export interface OpenFiles {
  readonly files: FileTree;
  close(): Promise<void>;
}

/** A failure of the file system as a failure of the engine. */
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

/** One file on disk; it is opened at the first read and stays open. */
class FileSource implements ByteSource {
  readonly byteLength: number;
  readonly #path: string;
  #handle: Promise<FileHandle> | undefined;

  constructor(path: string, byteLength: number) {
    this.#path = path;
    this.byteLength = byteLength;
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

/** Regular files below `folder` by relative path; links to files count (the Hub's cache is made of them). */
async function listFiles(folder: string, prefix = "", depth = 0): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const entry of await opendir(join(folder, prefix))) {
    // Links to folders are not followed, so there is no way out of the folder and no circle.
    if (entry.name.startsWith(".")) continue;
    const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth >= MAX_DEPTH) continue;
      for (const [name, size] of await listFiles(folder, path, depth + 1)) found.set(name, size);
    } else {
      const about = await stat(join(folder, path)).catch(() => undefined);
      if (about?.isFile()) found.set(path, about.size);
    }
    if (found.size > MAX_FILES) {
      throw new EngineError(
        "usage",
        `${folder} holds more than ${MAX_FILES} files; name the folder of one checkpoint.`,
        { folder, limit: MAX_FILES },
      );
    }
  }
  return found;
}

/** Opens a checkpoint folder, or one file as a folder of its own. Nothing is read yet. */
export async function openFiles(path: string): Promise<OpenFiles> {
  try {
    const about = await stat(path);
    const sizes = about.isDirectory()
      ? [...(await listFiles(path))].map(([name, size]) => [name, join(path, name), size] as const)
      : [[basename(path), path, about.size] as const];
    sizes.sort(([a], [b]) => (a < b ? -1 : 1));
    const files = new Map(sizes.map(([name, full, size]) => [name, new FileSource(full, size)]));
    return {
      files,
      close: async () => {
        for (const file of files.values()) await file.close();
      },
    };
  } catch (error) {
    throw fileFailure(error, path);
  }
}
