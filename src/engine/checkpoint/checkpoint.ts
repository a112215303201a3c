import type { TensorCard } from "../contract/index.ts";
import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { ModelConfig } from "./config.ts";

export type { ModelConfig } from "./config.ts";

/** A tensor and where its bytes lie. */
export interface CheckpointTensor extends TensorCard {
  readonly elementCount: number;
  readonly source: ByteSource;
  /** First byte within `source`. */
  readonly start: number;
}

/** A checkpoint that was opened and checked: every header is read, no weight is. */
export interface Checkpoint {
  /** What messages call it. */
  readonly name: string;
  readonly config: ModelConfig | null;
  /** In the files' order. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly files: FileTree;
  /** Those that hold the weights. */
  readonly weightFiles: readonly string[];
  readonly notes: readonly string[];
}

/** Reads part of a tensor, in bytes counted from the tensor's first. */
export function readTensor(
  tensor: CheckpointTensor,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return tensor.source.read(tensor.start + start, length);
}
