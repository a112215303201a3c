import type { PooledBuffer } from "../../gpu/pool.ts";
import type { DecoderSpec, LayerSpec, NormTensors, Projection } from "../description/spec.ts";
import type { Matrix, WeightLoader } from "./weights.ts";

export interface LoadedProjection {
  readonly spec: Projection;
  readonly matrix: Matrix;
  readonly bias: GPUBuffer | null;
}

export interface LoadedNorm {
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer | null;
}

/** One layer's weights on the GPU. */
export interface LoadedLayer {
  readonly attentionNorm: LoadedNorm;
  readonly qkv: readonly LoadedProjection[];
  readonly queryNorm: LoadedNorm | null;
  readonly keyNorm: LoadedNorm | null;
  readonly attentionOut: LoadedProjection;
  readonly postAttentionNorm: LoadedNorm | null;
  readonly mlpNorm: LoadedNorm;
  readonly mlpIn: readonly LoadedProjection[];
  readonly mlpOut: LoadedProjection;
  readonly postMlpNorm: LoadedNorm | null;
  release(): void;
}

/** What stands around the layers: embedding, last norm and head. */
export interface LoadedEnds {
  readonly embedding: Matrix;
  readonly positions: Matrix | null;
  readonly finalNorm: LoadedNorm;
  readonly head: Matrix;
  readonly headBias: GPUBuffer | null;
  release(): void;
}

/** Runs `load` and gives back what it had allocated when it fails. */
async function owning<T>(
  load: (owned: PooledBuffer[]) => Promise<T>,
): Promise<T & { release(): void }> {
  const owned: PooledBuffer[] = [];
  const release = () => {
    for (const buffer of owned) buffer.release();
  };
  try {
    return { ...(await load(owned)), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function loadNorm(
  loader: WeightLoader,
  { weight, bias }: NormTensors,
  length: number,
  owned: PooledBuffer[],
): Promise<LoadedNorm> {
  return {
    weight: await loader.vector(weight, length, owned),
    bias: bias === null ? null : await loader.vector(bias, length, owned),
  };
}

/** Rows and columns of a projection's matrix as it is stored. */
export function storedShape({ layout, inputs, outputs }: Projection): readonly [number, number] {
  return layout === "out_in" ? [outputs, inputs] : [inputs, outputs];
}

async function loadProjection(
  loader: WeightLoader,
  spec: Projection,
  owned: PooledBuffer[],
): Promise<LoadedProjection> {
  return {
    spec,
    matrix: await loader.matrix(spec.weight, ...storedShape(spec), owned),
    bias: spec.bias === null ? null : await loader.vector(spec.bias, spec.outputs, owned),
  };
}

/** Loads one layer. */
export function loadLayer(
  loader: WeightLoader,
  spec: DecoderSpec,
  layer: LayerSpec,
): Promise<LoadedLayer> {
  const { hiddenSize, attention } = spec;
  return owning(async (owned) => {
    const hidden = (tensors: NormTensors) => loadNorm(loader, tensors, hiddenSize, owned);
    const head = (tensors: NormTensors | null) =>
      tensors && loadNorm(loader, tensors, attention.headDim, owned);
    const projections = async (list: readonly Projection[]) => {
      const loaded: LoadedProjection[] = [];
      for (const each of list) loaded.push(await loadProjection(loader, each, owned));
      return loaded;
    };
    return {
      attentionNorm: await hidden(layer.attentionNorm),
      qkv: await projections(layer.qkv),
      queryNorm: await head(layer.queryNorm),
      keyNorm: await head(layer.keyNorm),
      attentionOut: await loadProjection(loader, layer.attentionOut, owned),
      postAttentionNorm: layer.postAttentionNorm && (await hidden(layer.postAttentionNorm)),
      mlpNorm: await hidden(layer.mlpNorm),
      mlpIn: await projections(layer.mlpIn),
      mlpOut: await loadProjection(loader, layer.mlpOut, owned),
      postMlpNorm: layer.postMlpNorm && (await hidden(layer.postMlpNorm)),
    };
  });
}

/** Loads embedding, last norm and head; a tied head is the embedding itself. */
export function loadEnds(loader: WeightLoader, spec: DecoderSpec): Promise<LoadedEnds> {
  const { vocabSize, hiddenSize, contextLength, embedding, head } = spec;
  return owning(async (owned) => {
    const tokens = await loader.matrix(embedding.tensor, vocabSize, hiddenSize, owned);
    return {
      embedding: tokens,
      positions:
        embedding.positions === null
          ? null
          : await loader.matrix(embedding.positions, contextLength, hiddenSize, owned),
      finalNorm: await loadNorm(loader, spec.finalNorm, hiddenSize, owned),
      head:
        head.tensor === embedding.tensor
          ? tokens
          : await loader.matrix(head.tensor, vocabSize, hiddenSize, owned),
      headBias: head.bias === null ? null : await loader.vector(head.bias, vocabSize, owned),
    };
  });
}
