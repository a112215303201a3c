import type { DecoderSpec, LayerSpec, NormTensors, Projection } from "./spec.ts";

/** A tensor of a description: a matrix of two axes or a vector of one. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly [number] | readonly [number, number];
}

/** Rows and columns of a projection's matrix as stored. */
export function storedShape({ layout, inputs, outputs }: Projection): readonly [number, number] {
  return layout === "out_in" ? [outputs, inputs] : [inputs, outputs];
}

/** Linear maps of a layer in the order of the forward pass. */
export function layerProjections(layer: LayerSpec): readonly Projection[] {
  return [...layer.qkv, layer.attentionOut, ...layer.mlpIn, layer.mlpOut];
}

/** The head as a linear map; a tied head's matrix is the embedding's. */
export function headProjection({ head, hiddenSize, vocabSize }: DecoderSpec): Projection {
  return {
    weight: head.tensor,
    bias: head.bias,
    layout: "out_in",
    inputs: hiddenSize,
    outputs: vocabSize,
    column: 0,
  };
}

function normShapes(tensors: NormTensors | null, length: number): readonly TensorShape[] {
  const names = [tensors?.weight, tensors?.bias];
  return names.flatMap((name): TensorShape[] => (name ? [{ name, shape: [length] }] : []));
}

function projectionShapes(projection: Projection): readonly TensorShape[] {
  const { weight, bias, outputs } = projection;
  const matrix: TensorShape = { name: weight, shape: storedShape(projection) };
  return bias === null ? [matrix] : [matrix, { name: bias, shape: [outputs] }];
}

/** Every tensor of one layer. */
export function layerTensors(
  { hiddenSize }: DecoderSpec,
  layer: LayerSpec,
): readonly TensorShape[] {
  const { headDim } = layer.attention;
  return [
    ...normShapes(layer.attentionNorm, hiddenSize),
    ...layer.qkv.flatMap(projectionShapes),
    ...normShapes(layer.queryNorm, headDim),
    ...normShapes(layer.keyNorm, headDim),
    ...projectionShapes(layer.attentionOut),
    ...normShapes(layer.postAttentionNorm, hiddenSize),
    ...normShapes(layer.mlpNorm, hiddenSize),
    ...layer.mlpIn.flatMap(projectionShapes),
    ...projectionShapes(layer.mlpOut),
    ...normShapes(layer.postMlpNorm, hiddenSize),
  ];
}

/** Tensors before the layers: the embedding, and learned positions where there are some. */
function inputTensors(spec: DecoderSpec): readonly TensorShape[] {
  const { embedding, vocabSize, hiddenSize, contextLength } = spec;
  const tokens: TensorShape = { name: embedding.tensor, shape: [vocabSize, hiddenSize] };
  if (embedding.positions === null) return [tokens];
  return [tokens, { name: embedding.positions, shape: [contextLength, hiddenSize] }];
}

/** Tensors after the layers: the last norm and the head, whose matrix is not listed where tied. */
function outputTensors(spec: DecoderSpec): readonly TensorShape[] {
  const tied = spec.head.tensor === spec.embedding.tensor;
  const head = projectionShapes(headProjection(spec));
  return [...normShapes(spec.finalNorm, spec.hiddenSize), ...(tied ? head.slice(1) : head)];
}

/** Tensors before and after the layers. */
export function endTensors(spec: DecoderSpec): readonly TensorShape[] {
  return [...inputTensors(spec), ...outputTensors(spec)];
}

/** Every tensor of a decoder by the architecture's name; a tied head's once. */
export function listTensors(spec: DecoderSpec): readonly TensorShape[] {
  return [
    ...inputTensors(spec),
    ...spec.layers.flatMap((layer) => layerTensors(spec, layer)),
    ...outputTensors(spec),
  ];
}
