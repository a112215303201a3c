import { basename } from "node:path";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { nameInHubCache } from "../engine/checkpoint/hubNames.ts";
import { inputsOf } from "../engine/checkpoint/inputFiles.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { watchInputs } from "../engine/core/inputs.ts";
import { type OpenFiles, openFiles } from "../node/files.ts";
import { locateModel } from "../node/hubCache.ts";

/** A checkpoint with its open files. */
export interface OpenModel {
  readonly checkpoint: Checkpoint;
  readonly files: OpenFiles;
  /** Its folder or file on disk. */
  readonly place: string;
}

/**
 * Opens a checkpoint folder, one of the Hub's cache, or one weight file; a failure leaves nothing
 * open.
 */
export async function openModel(path: string): Promise<OpenModel> {
  const place = await locateModel(path);
  const files = await openFiles(place);
  try {
    const name = nameInHubCache(place) ?? basename(place);
    return { checkpoint: await openCheckpoint(files.files, name), files, place };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** Mark of the files that work with the model reads, which changes when one of them does. */
export async function markModel({ checkpoint }: OpenModel): Promise<string> {
  return (await watchInputs(inputsOf([checkpoint]))).mark;
}
