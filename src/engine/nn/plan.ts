import { EngineError } from "../contract/index.ts";
import type { Gpu } from "../gpu/device.ts";
import { storedShape } from "./layerWeights.ts";
import { Recorder } from "./recorder.ts";
import type { DecoderSpec, LayerSpec, NormTensors } from "./spec.ts";
import type { WeightLoader } from "./weights.ts";
import { largestBuffer, workspaceBytes } from "./workspace.ts";

/** Tokens that go through the layers together, at most. */
const MAX_ROWS = 512;
/** Part of the budget that a workspace may take. */
const WORKSPACE_SHARE = 1 / 4;

/** How a model will be run within the budget, found from headers alone. */
export interface DecoderPlan {
  readonly spec: DecoderSpec;
  /** All weights, in bytes on the GPU. */
  readonly weightBytes: number;
  readonly endBytes: number;
  readonly layerBytes: readonly number[];
  readonly workspaceBytes: number;
  /** Tokens per pass. */
  readonly rows: number;
  /** The layers do not fit beside each other: each is loaded when its turn comes, every pass. */
  readonly streamed: boolean;
  /** Bytes of the pool at once, without any cache. */
  readonly peakBytes: number;
  readonly budgetBytes: number;
}

/** Checks every tensor's name, shape and dtype, and what fits. */
export function planDecoder(
  gpu: Gpu,
  spec: DecoderSpec,
  loader: WeightLoader,
  options: { readonly rows?: number; readonly streamed?: boolean },
): DecoderPlan {
  const layerBytes = spec.layers.map((layer) => bytesOfLayer(spec, layer, loader));
  const endBytes = bytesOfEnds(spec, loader);
  const weightBytes = layerBytes.reduce((sum, bytes) => sum + bytes, endBytes);
  const budgetBytes = gpu.pool.budgetBytes - gpu.pool.usedBytes;
  const limit = gpu.device.limits.maxStorageBufferBindingSize;

  let rows = options.rows ?? MAX_ROWS;
  const tooLarge = () =>
    workspaceBytes(spec, rows) > budgetBytes * WORKSPACE_SHARE || largestBuffer(spec, rows) > limit;
  while (rows > 1 && tooLarge()) rows = Math.floor(rows / 2);

  const fixed = workspaceBytes(spec, rows) + Recorder.byteLength + endBytes;
  const allLayers = weightBytes - endBytes;
  const streamed = options.streamed === true || fixed + allLayers > budgetBytes;
  const peakBytes = fixed + (streamed ? Math.max(...layerBytes) : allLayers);
  if (peakBytes > budgetBytes) {
    throw new EngineError(
      "gpu-memory",
      `${spec.architecture} needs ${peakBytes} bytes on the GPU even layer by layer; ${budgetBytes} of the budget are free. Raise the GPU budget.`,
      { peakBytes, budgetBytes },
    );
  }
  return {
    ...{ spec, weightBytes, endBytes, layerBytes, rows, streamed, peakBytes, budgetBytes },
    workspaceBytes: workspaceBytes(spec, rows),
  };
}

const vectorBytes = (length: number) => Math.ceil(length / 4) * 16;

function bytesOfNorm(tensors: NormTensors | null, length: number, loader: WeightLoader): number {
  if (!tensors) return 0;
  const names = tensors.bias === null ? [tensors.weight] : [tensors.weight, tensors.bias];
  for (const name of names) loader.find(name, [length]);
  return names.length * vectorBytes(length);
}

function bytesOfLayer(spec: DecoderSpec, layer: LayerSpec, loader: WeightLoader): number {
  const hidden = [
    layer.attentionNorm,
    layer.postAttentionNorm,
    layer.mlpNorm,
    layer.postMlpNorm,
  ].map((norm) => bytesOfNorm(norm, spec.hiddenSize, loader));
  const heads = [layer.queryNorm, layer.keyNorm].map((norm) =>
    bytesOfNorm(norm, spec.attention.headDim, loader),
  );
  const projections = [...layer.qkv, layer.attentionOut, ...layer.mlpIn, layer.mlpOut].map(
    (projection) => {
      const { weight, bias, outputs } = projection;
      if (bias !== null) loader.find(bias, [outputs]);
      const matrix = loader.matrixBytes(weight, ...storedShape(projection));
      return matrix + (bias === null ? 0 : vectorBytes(outputs));
    },
  );
  return [...hidden, ...heads, ...projections].reduce((sum, bytes) => sum + bytes, 0);
}

function bytesOfEnds(spec: DecoderSpec, loader: WeightLoader): number {
  const { vocabSize, hiddenSize, contextLength, embedding, head, finalNorm } = spec;
  let bytes = loader.matrixBytes(embedding.tensor, vocabSize, hiddenSize);
  if (embedding.positions !== null) {
    bytes += loader.matrixBytes(embedding.positions, contextLength, hiddenSize);
  }
  if (head.tensor !== embedding.tensor) {
    bytes += loader.matrixBytes(head.tensor, vocabSize, hiddenSize);
  }
  if (head.bias !== null) {
    loader.find(head.bias, [vocabSize]);
    bytes += vectorBytes(vocabSize);
  }
  return bytes + bytesOfNorm(finalNorm, hiddenSize, loader);
}
