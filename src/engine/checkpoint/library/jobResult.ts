import type { ModelCard, ModelId } from "../../contract/index.ts";
import type { FileTreeWriter } from "../../core/bytes.ts";
import type { LibraryReader, LibraryWriter, ModelStart } from "./library.ts";

/** What a job that writes one model saves of it: its id, null before it is begun. */
export interface ResultState {
  readonly model: ModelId | null;
}

/** Card of the model that an earlier run of a job began; undefined where there is none any more. */
export async function findResult(
  library: Pick<LibraryReader, "list">,
  state: ResultState | null,
): Promise<ModelCard | undefined> {
  if (!state?.model) return undefined;
  return (await library.list()).find(({ id }) => id === state.model);
}

/**
 * The model that a job writes: the one that an earlier run began, or a new one. `note` saves a new
 * one's id before a byte is written.
 */
export async function beginResult(
  library: Pick<LibraryWriter, "begin" | "resume">,
  earlier: ModelCard | undefined,
  start: Pick<ModelStart, "name" | "origin" | "byteLength">,
  note: (model: ModelId) => Promise<void>,
): Promise<{ readonly id: ModelId; readonly writer: FileTreeWriter }> {
  if (earlier) return { id: earlier.id, writer: await library.resume(earlier.id) };
  const begun = await library.begin({ ...start, fingerprint: null, facts: null });
  await note(begun.id);
  return begun;
}

/** Deletes the unfinished result of a job that goes; a finished one stays in the library. */
export async function deletePartial(
  library: Pick<LibraryReader, "list"> & Pick<LibraryWriter, "delete">,
  state: ResultState | null,
): Promise<void> {
  const result = await findResult(library, state);
  if (result?.state === "partial") await library.delete(result.id);
}
