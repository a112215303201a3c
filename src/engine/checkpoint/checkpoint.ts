import type { DType, TensorCard } from "../contract/index.ts";
import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { ModelConfig } from "./config.ts";

export type { ModelConfig } from "./config.ts";

/** A tensor and where its bytes lie. */
export interface CheckpointTensor extends TensorCard {
  readonly elementCount: number;
  readonly source: ByteSource;
  /** First byte within `source`. */
  readonly start: number;
  /** Of a weight that is dequantised as it is read, as float32. */
  readonly quantised?: {
    /** How its codes are stored. */
    readonly dtype: DType;
    readonly byteLength: number;
    /** The same values as BF16: what they are kept and written as where nothing else is asked. */
    readonly rounded: CheckpointTensor;
  };
}

/** Quantised or factored weights of a checkpoint, all of one kind. */
export interface QuantisedWeights {
  /** "FP8 with scales", "GPTQ". */
  readonly format: string;
  readonly count: number;
  /** The name of one of them. */
  readonly example: string;
  /** Why they are not read and what to do; null where they are dequantised as they are read. */
  readonly refusal: string | null;
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
  /** By kind; empty where every weight is a plain number. */
  readonly quantised: readonly QuantisedWeights[];
  readonly notes: readonly string[];
}

/** A tensor as it is kept and written where nothing else is asked: a dequantised one as BF16. */
export function roundedTensor(tensor: CheckpointTensor): CheckpointTensor {
  return tensor.quantised?.rounded ?? tensor;
}

/** What lies in the file, for people: a dequantised tensor's own codes. */
export function storedCard(tensor: CheckpointTensor): TensorCard {
  const { name, shape, file } = tensor;
  const { dtype, byteLength } = tensor.quantised ?? tensor;
  return { name, dtype, shape, byteLength, file };
}

/** Reads part of a tensor, in bytes counted from the tensor's first. */
export function readTensor(
  tensor: CheckpointTensor,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return tensor.source.read(tensor.start + start, length);
}
