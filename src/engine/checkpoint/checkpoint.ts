import type { DType, TensorCard } from "../contract/index.ts";
import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { AdapterConfig } from "./adapters/adapterConfig.ts";
import type { ModelConfig } from "./config.ts";

export type { ModelConfig } from "./config.ts";

/** A tensor and the location of its bytes. */
export interface CheckpointTensor extends TensorCard {
  readonly elementCount: number;
  readonly source: ByteSource;
  /** First byte within `source`. */
  readonly start: number;
  /** Quantisation of a weight that is dequantised to float32 as it is read. */
  readonly quantised?: {
    /** Dtype of its codes. */
    readonly dtype: DType;
    readonly byteLength: number;
    /** The dequantised values as BF16, in which they are stored and written by default. */
    readonly rounded: CheckpointTensor;
  };
}

/** Quantised or factored weights of a checkpoint, all of one format. */
export interface QuantisedWeights {
  /** "FP8 with scales", "GPTQ". */
  readonly format: string;
  readonly count: number;
  /** Name of one of them. */
  readonly example: string;
  /** Reason why they are not read and what to do; null where they are dequantised on reading. */
  readonly refusal: string | null;
}

/** An open checkpoint: every header is read and checked, no weight is. */
export interface Checkpoint {
  /** Name in messages. */
  readonly name: string;
  readonly config: ModelConfig | null;
  /** Tensors in the files' order. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly files: FileTree;
  /** Files that hold the weights; of an adapter its settings, too. */
  readonly weightFiles: readonly string[];
  /** Quantised weights by format; empty for plain floats. */
  readonly quantised: readonly QuantisedWeights[];
  /** Settings of an adapter, whose tensors are changes to a base model; absent for a whole model. */
  readonly adapter?: AdapterConfig;
  readonly notes: readonly string[];
  /** The result of a merge that is yet to be made: its weights cannot be read. */
  readonly planned?: true;
}

/** A tensor in its stored form by default: a dequantised one as BF16. */
export function roundedTensor(tensor: CheckpointTensor): CheckpointTensor {
  return tensor.quantised?.rounded ?? tensor;
}

/** Card of the tensor as stored: a dequantised tensor's codes. */
export function storedCard(tensor: CheckpointTensor): TensorCard {
  const { name, shape, file } = tensor;
  const { dtype, byteLength } = tensor.quantised ?? tensor;
  return { name, dtype, shape, byteLength, file };
}

/** Reads a range of a tensor's bytes, counted from its first. */
export function readTensor(
  tensor: CheckpointTensor,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return tensor.source.read(tensor.start + start, length);
}
