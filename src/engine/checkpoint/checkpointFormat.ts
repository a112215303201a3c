import type { FileTree } from "../core/bytes.ts";
import type { AdapterConfig } from "./adapters/adapterConfig.ts";
import type { CheckpointTensor } from "./checkpoint.ts";

/**
 * Weights of a checkpoint as its format opens them: every header is read and checked, no weight is.
 */
export interface OpenedWeights {
  /** Tensors in the files' order. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** The files that hold the weights; files of other formats beside them are not read. */
  readonly files: readonly string[];
  /** Settings of an adapter, whose tensors are changes to a base; absent for a whole model. */
  readonly adapter?: AdapterConfig;
  /** Notes for the user: which of several files were chosen, what an index does not name. */
  readonly notes: readonly string[];
}

/**
 * A checkpoint format. Every file in `formats/` takes part wherever models are dropped, imported or
 * named in a terminal. Paths are relative to the checkpoint's folder.
 */
export interface CheckpointFormat {
  /** Name in messages: "GGUF". */
  readonly title: string;
  /** Priority: of several formats that match a folder the one with the smallest order is opened. */
  readonly order: number;
  /** Whether a path is a weight file of this format. */
  isWeights(path: string): boolean;
  /** Whether the files of one folder are a checkpoint in this format. */
  match(paths: readonly string[]): boolean;
  /** Whether a file is in this format, from its first bytes (at most 1 KiB), whatever its name. */
  begins?(first: Uint8Array): boolean;
  /**
   * Opens the checkpoint; `name` is its name in messages. A format that is recognised and not
   * supported throws a sentence with what to do.
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
