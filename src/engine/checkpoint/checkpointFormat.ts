import type { FileTree } from "../core/bytes.ts";
import type { CheckpointTensor } from "./checkpoint.ts";

/** What a format makes of a checkpoint's files: every header is read and checked, no weight is. */
export interface OpenedWeights {
  /** In the files' order. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** The files that hold the weights; files of other formats beside them are not read. */
  readonly files: readonly string[];
  /** What a reader should know: which of several files were chosen, what an index does not name. */
  readonly notes: readonly string[];
}

/**
 * A format that checkpoints come in. A file in `formats/` is enough to be asked wherever models are
 * dropped, imported or named in a terminal. Paths are relative to the checkpoint's folder.
 */
export interface CheckpointFormat {
  /** What messages call it: "GGUF". */
  readonly title: string;
  /** Of several formats that match a folder the one with the smallest order is opened. */
  readonly order: number;
  /** Whether a file holds weights in this format, told from its path. */
  isWeights(path: string): boolean;
  /** Whether the files of one folder are a checkpoint in this format. */
  match(paths: readonly string[]): boolean;
  /** Whether a file is in this format whatever it is called, told from its first bytes (at most 1 KiB). */
  begins?(first: Uint8Array): boolean;
  /**
   * Opens the checkpoint; `name` is what messages call it. A format that is known and cannot be read
   * throws the sentence that says so and what to do.
   */
  open(files: FileTree, name: string): Promise<OpenedWeights>;
}

/** A format, frozen. */
export function defineFormat(format: CheckpointFormat): CheckpointFormat {
  return Object.freeze(format);
}

/** Paths directly in the folder, sorted. */
export function topLevel(paths: Iterable<string>): readonly string[] {
  return [...paths].filter((path) => !path.includes("/")).sort();
}
