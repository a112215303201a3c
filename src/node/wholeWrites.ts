import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** Opens files: `open` of node:fs, or a test's with a faulty disk. */
export type OpenFile = typeof open;

/** Ending of incomplete files; a killed process may leave one. */
export const DRAFT_ENDING = ".new";

/** Writes all of `bytes` from byte `at` on: one `write` may take fewer. */
export async function writeWhole(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const left = bytes.byteLength - done;
    const { bytesWritten } = await handle.write(bytes, done, left, at + done);
    // A disk that accepts nothing without an error would be retried forever.
    if (bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "EIO" });
    done += bytesWritten;
  }
}

/**
 * Replaces a file atomically: its bytes are on disk before it gets its name, so that readers, also
 * after a power cut, find the old file or the new one. A failure leaves the old one.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  openFile: OpenFile = open,
): Promise<void> {
  // A random name: process ids may repeat in another container.
  const draft = `${path}.${randomUUID()}${DRAFT_ENDING}`;
  try {
    const handle = await openFile(draft, "w");
    try {
      await writeWhole(handle, bytes, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined); // what went wrong first counts
    throw error;
  }
}
