import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** How files are opened: `open` of node:fs, or a test's, whose disk writes short or is full. */
export type OpenFile = typeof open;

/** What a file is called until it is whole; a process that was killed may leave one. */
export const DRAFT_ENDING = ".new";

/** Writes all of `bytes` from byte `at` on: one `write` may take fewer than it was given. */
export async function writeWhole(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const left = bytes.byteLength - done;
    const { bytesWritten } = await handle.write(bytes, done, left, at + done);
    // A disk that takes nothing and says nothing would be asked for ever.
    if (bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "EIO" });
    done += bytesWritten;
  }
}

/**
 * Replaces a file as a whole: its bytes are on the disk before it gets its name, so that a reader, and
 * the next start after a power cut, find the old file or the new one. A failure leaves the old one.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  openFile: OpenFile = open,
): Promise<void> {
  // Process ids are no names: another container's may be the same.
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
