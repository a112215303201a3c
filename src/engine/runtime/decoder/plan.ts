import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { isOnnxExport } from "../../checkpoint/onnxExport.ts";
import { EngineError } from "../../contract/index.ts";
import type { GpuSpace } from "../../gpu/space.ts";
import { describeDecoder } from "../description/architecture.ts";
import type { DecoderSpec } from "../description/spec.ts";
import { endTensors, layerTensors, type TensorShape } from "../description/tensors.ts";
import { Recorder } from "../kernels/recorder.ts";
import { TensorLookup } from "./tensorLookup.ts";
import { largestBuffer, workspaceBytes } from "./workspace.ts";

/** Largest number of tokens in a pass. */
export const MAX_ROWS = 512;
/** Largest fraction of the budget for a workspace. */
const WORKSPACE_SHARE = 1 / 4;

/** Memory plan of a model within the budget, from headers alone. */
export interface DecoderPlan {
  readonly spec: DecoderSpec;
  /** All weights, in bytes on the GPU. */
  readonly weightBytes: number;
  readonly endBytes: number;
  readonly layerBytes: readonly number[];
  readonly workspaceBytes: number;
  /** Tokens per pass. */
  readonly rows: number;
  /** Whether the layers do not fit together: each is then loaded in every pass. */
  readonly streamed: boolean;
  /** Whether the next layer is loaded while one runs, so that two are on the GPU at once. */
  readonly ahead: boolean;
  /** Largest number of pool bytes at once, without caches. */
  readonly peakBytes: number;
  readonly budgetBytes: number;
}

/** A checkpoint that can be run: every tensor exists, in the shape that its config demands. */
export interface MeasuredDecoder {
  readonly spec: DecoderSpec;
  readonly lookup: TensorLookup;
  readonly weightBytes: number;
  readonly endBytes: number;
  readonly layerBytes: readonly number[];
}

/**
 * Describes a checkpoint and checks every tensor's name, shape and dtype, from headers alone.
 * `unsupported-architecture`, `bad-config`, `missing-tensor`, `bad-shape`, `bad-dtype`.
 */
export function measureDecoder(checkpoint: Checkpoint): MeasuredDecoder {
  const { config, name } = checkpoint;
  if (isOnnxExport(checkpoint)) {
    throw new EngineError(
      "unsupported-architecture",
      `${name} is an ONNX export: it can be run and teach, but it has no tensors of its own to train.`,
      { model: name },
    );
  }
  refuseQuantised(checkpoint);
  const stated = describeDecoder(config, name);
  const lookup = new TensorLookup(checkpoint, stated.optionalPrefix);
  const spec = config?.tied
    ? asStored(stated, describeDecoder({ ...config, tied: false }, name), lookup)
    : stated;
  const layerBytes = spec.layers.map((layer) => bytesOf(layerTensors(spec, layer), lookup));
  const endBytes = bytesOf(endTensors(spec), lookup);
  const weightBytes = layerBytes.reduce((sum, bytes) => sum + bytes, endBytes);
  return { spec, lookup, weightBytes, endBytes, layerBytes };
}

/**
 * Refuses quantised weights that cannot be read; those dequantised on reading are like any others.
 */
function refuseQuantised({ name, quantised }: Checkpoint): void {
  const refused = quantised.find(({ refusal }) => refusal !== null);
  if (!refused) return;
  throw new EngineError("unsupported-architecture", `${name}: ${refused.refusal}.`, {
    model: name,
    format: refused.format,
    tensor: refused.example,
  });
}

/**
 * Tying as transformers 5 loads it: a head stored beside the embedding is a head of its own; one
 * stored alone is the embedding, too.
 */
function asStored(tied: DecoderSpec, untied: DecoderSpec, lookup: TensorLookup): DecoderSpec {
  const { tensor } = untied.head;
  if (!lookup.has(tensor)) return tied;
  if (lookup.has(tied.embedding.tensor)) return untied;
  return {
    ...tied,
    embedding: { ...tied.embedding, tensor },
    head: { ...tied.head, tensor },
  };
}

/** Plan that fits the free part of the GPU's budget. */
export function planDecoder(
  { freeBytes: budgetBytes, bindingBytes }: GpuSpace,
  { spec, weightBytes, endBytes, layerBytes }: MeasuredDecoder,
  options: { readonly rows?: number; readonly streamed?: boolean },
): DecoderPlan {
  let rows = options.rows ?? MAX_ROWS;
  const tooLarge = () =>
    workspaceBytes(spec, rows) > budgetBytes * WORKSPACE_SHARE ||
    largestBuffer(spec, rows) > bindingBytes;
  while (rows > 1 && tooLarge()) rows = Math.floor(rows / 2);

  const fixed = workspaceBytes(spec, rows) + Recorder.byteLength + endBytes;
  const allLayers = weightBytes - endBytes;
  const streamed = options.streamed === true || fixed + allLayers > budgetBytes;
  const twoLayers = Math.max(...layerBytes.map((bytes, i) => bytes + (layerBytes[i + 1] ?? 0)));
  const ahead = streamed && fixed + twoLayers <= budgetBytes;
  const streamedBytes = ahead ? twoLayers : Math.max(...layerBytes);
  const peakBytes = fixed + (streamed ? streamedBytes : allLayers);
  if (peakBytes > budgetBytes) {
    throw new EngineError(
      "gpu-memory",
      `${spec.architecture} needs ${peakBytes} bytes on the GPU even layer by layer; ${budgetBytes} of the budget are free. Raise the GPU budget.`,
      { peakBytes, budgetBytes },
    );
  }
  return {
    spec,
    weightBytes,
    endBytes,
    layerBytes,
    rows,
    streamed,
    ahead,
    peakBytes,
    budgetBytes,
    workspaceBytes: workspaceBytes(spec, rows),
  };
}

/** Bytes of tensors on the GPU: matrices as stored, vectors in f32. */
function bytesOf(tensors: readonly TensorShape[], lookup: TensorLookup): number {
  return tensors.reduce((sum, { name, shape }) => sum + lookup.bytes(name, shape), 0);
}
