import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { nameInHubCache } from "../engine/checkpoint/hubNames.ts";
import { inputsOf } from "../engine/checkpoint/inputFiles.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { applyAdapter } from "../engine/checkpoint/views/adapter.ts";
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
 * Opens a checkpoint folder, one of the Hub's cache, one weight file, or `model+adapter` of two
 * folders; a failure leaves nothing open.
 */
export async function openModel(path: string): Promise<OpenModel> {
  const place = await locateModel(path);
  const at = path.lastIndexOf("+");
  const exists = await stat(place).then(Boolean, () => false);
  if (!exists && at > 0) return openWithAdapter(path.slice(0, at), resolve(path.slice(at + 1)));
  const files = await openFiles(place);
  try {
    const name = nameInHubCache(place) ?? basename(place);
    return { checkpoint: await openCheckpoint(files.files, name), files, place };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** A model with an adapter applied; its place is the model's. */
async function openWithAdapter(basePath: string, adapterPath: string): Promise<OpenModel> {
  const base = await openModel(basePath);
  const opened = [base.files];
  const close = async () => {
    for (const files of opened) await files.close();
  };
  try {
    const adapter = await openModel(adapterPath);
    opened.push(adapter.files);
    const checkpoint = applyAdapter(base.checkpoint, adapter.checkpoint);
    const bytesRead = () => opened.reduce((sum, files) => sum + files.bytesRead(), 0);
    return { checkpoint, files: { files: base.files.files, bytesRead, close }, place: base.place };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Mark of the files that work with the model reads, which changes when one of them does. */
export async function markModel({ checkpoint }: OpenModel): Promise<string> {
  return (await watchInputs(inputsOf([checkpoint]))).mark;
}
