import { join } from "node:path";
import type { LibraryWriter } from "../engine/checkpoint/library/library.ts";
import type { FactStore } from "../engine/merge/run/factStore.ts";
import { withChecksums } from "./checksums.ts";
import { WORK_FOLDER } from "./claimedFolder.ts";
import { factsInFile } from "./factFile.ts";
import { type FolderWriter, openFolderWriter } from "./folderWriter.ts";

/** The folder of a command's one result, as a library that a job writes it into. */
export interface OutputFolder extends Pick<LibraryWriter, "begin" | "resume"> {
  /** What was measured for the result; it goes when the result is whole. */
  readonly facts: FactStore;
  /** Bytes that an earlier run left durable; 0 for a new folder. */
  readonly resumedBytes: FolderWriter["resumedBytes"];
  /** Bytes written by this run. */
  bytesWritten(): number;
  /** Closes open files and releases the lock; errors and leftovers as of `FolderWriter.close`. */
  close(): Promise<void>;
}

/**
 * Opens `folder` for the result with this `key`, or goes on with what an earlier run began there: the
 * folder knows its own state. Arguments and errors of `openFolderWriter`.
 */
export async function openOutputFolder(
  folder: string,
  key: string,
  earlier: readonly string[],
): Promise<OutputFolder> {
  const writer = await openFolderWriter(folder, key, { earlier });
  const stored = factsInFile(join(folder, WORK_FOLDER, "facts.json"));
  const resume = async () => withChecksums(writer);
  return {
    begin: async () => ({ id: folder, writer: await resume() }),
    resume,
    facts: {
      load: stored.load,
      // What cannot be stored, as when the work folder is gone at the end, a later run measures again.
      save: (...measured) => stored.save(...measured).catch(() => undefined),
      forget: stored.forget,
    },
    resumedBytes: writer.resumedBytes,
    bytesWritten: writer.bytesWritten,
    close: writer.close,
  };
}
