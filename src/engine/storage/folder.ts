import { EngineError } from "../contract/index.ts";

/** A file being written from first byte to last; it appears at `close`. */
export interface FileWriter {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  /** Gives up the file; what was written may stay or go. */
  abort(): Promise<void>;
}

/** Chromium asks for permission per folder; TypeScript's libraries do not know the question. */
interface Permitted {
  queryPermission?(wish: { readonly mode: "readwrite" }): Promise<PermissionState>;
}

/** Refuses a folder whose write permission was granted in an earlier visit only. */
export async function requireWritable(folder: FileSystemDirectoryHandle): Promise<void> {
  const state = await (folder as Permitted).queryPermission?.({ mode: "readwrite" });
  if (state === undefined || state === "granted") return;
  throw folderError(new DOMException("not granted", "NotAllowedError"), folder.name, 0);
}

/** Whether the folder exists and is not empty. */
export async function isTaken(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    for await (const _ of (await folder.getDirectoryHandle(name)).keys()) return true;
    return false;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return false;
    if (nameOf(error) === "TypeMismatchError") return true; // a file of that name
    throw folderError(error, name, 0);
  }
}

/** Opens a file below a folder, creating its folders. An existing file is overwritten. */
export async function createFile(
  folder: FileSystemDirectoryHandle,
  path: string,
  byteLength: number,
): Promise<FileWriter> {
  const told = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      throw folderError(error, path, byteLength);
    });
  return told(async () => {
    const parts = path.split("/");
    const name = parts.pop() as string;
    let parent = folder;
    for (const part of parts) parent = await parent.getDirectoryHandle(part, { create: true });
    const handle = await parent.getFileHandle(name, { create: true });
    const writer = await openHandle(handle);
    return {
      write: (bytes) => told(() => writer.write(bytes)),
      close: () => told(() => writer.close()),
      abort: () => writer.abort().catch(() => undefined),
    };
  });
}

/**
 * Private folders have synchronous handles, which are many times faster, and the only ones in
 * Safari before 26.
 */
async function openHandle(handle: FileSystemFileHandle): Promise<FileWriter> {
  const access = await openSyncHandle(handle as object);
  if (!access) {
    const stream = await handle.createWritable();
    return {
      write: (bytes) => stream.write(bytes),
      close: () => stream.close(),
      abort: () => stream.abort(),
    };
  }
  access.truncate(0);
  let at = 0;
  return {
    async write(bytes) {
      const written = access.write(bytes, { at });
      if (written !== bytes.byteLength) throw new DOMException("short", "QuotaExceededError");
      at += written;
    },
    async close() {
      access.flush();
      access.close();
    },
    async abort() {
      access.close();
    },
  };
}

/** Declared here so that it compiles for Workers, which have it, and for pages, which do not. */
interface SyncHandle {
  truncate(byteLength: number): void;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

async function openSyncHandle(handle: {
  createSyncAccessHandle?(): Promise<SyncHandle>;
}): Promise<SyncHandle | null> {
  if (typeof handle.createSyncAccessHandle !== "function") return null;
  try {
    return await handle.createSyncAccessHandle();
  } catch (error) {
    // Folders that the user picked only have asynchronous handles.
    if (nameOf(error) === "InvalidStateError" || nameOf(error) === "NotSupportedError") return null;
    throw error;
  }
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : "");

/** Error of the file system as an `EngineError`. */
function folderError(error: unknown, path: string, bytesNeeded: number): unknown {
  switch (nameOf(error)) {
    case "QuotaExceededError":
      return new EngineError(
        "quota",
        `There is no room for ${path} (${bytesNeeded} bytes). Free space on that disk, then resume: finished files stay.`,
        { file: path, bytesNeeded },
        error,
      );
    case "NotAllowedError":
    case "SecurityError":
      return new EngineError(
        "permission",
        `The browser does not let the studio write ${path}. Export again and allow writing into the folder.`,
        { file: path },
        error,
      );
    case "NotFoundError":
      return new EngineError(
        "missing-file",
        `${path} cannot be written: its folder was moved or deleted meanwhile. Export again.`,
        { file: path },
        error,
      );
    case "NoModificationAllowedError":
      return new EngineError(
        "busy",
        `${path} is open in another program or tab. Close it there, then resume.`,
        { file: path },
        error,
      );
    default:
      return error;
  }
}
