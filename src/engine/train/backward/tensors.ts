import { storedShape } from "../../runtime/decoder/layerWeights.ts";
import type {
  DecoderSpec,
  LayerSpec,
  NormTensors,
  Projection,
} from "../../runtime/description/spec.ts";
import type { LoraModule, LoraTarget } from "./trainable.ts";

interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Every tensor of a decoder by the architecture's name, a tied head's once. */
export function listTensors(spec: DecoderSpec): readonly TensorShape[] {
  const { embedding, head, vocabSize, hiddenSize, contextLength } = spec;
  const norm = (tensors: NormTensors | null, length: number): TensorShape[] =>
    [tensors?.weight, tensors?.bias].flatMap((name) => (name ? [{ name, shape: [length] }] : []));
  const projection = (each: Projection): TensorShape[] => [
    { name: each.weight, shape: storedShape(each) },
    ...(each.bias === null ? [] : [{ name: each.bias, shape: [each.outputs] }]),
  ];
  const ofLayer = (layer: LayerSpec) => [
    ...norm(layer.attentionNorm, hiddenSize),
    ...layer.qkv.flatMap(projection),
    ...norm(layer.queryNorm, spec.attention.headDim),
    ...norm(layer.keyNorm, spec.attention.headDim),
    ...projection(layer.attentionOut),
    ...norm(layer.postAttentionNorm, hiddenSize),
    ...norm(layer.mlpNorm, hiddenSize),
    ...layer.mlpIn.flatMap(projection),
    ...projection(layer.mlpOut),
    ...norm(layer.postMlpNorm, hiddenSize),
  ];
  return [
    { name: embedding.tensor, shape: [vocabSize, hiddenSize] },
    ...(embedding.positions === null
      ? []
      : [{ name: embedding.positions, shape: [contextLength, hiddenSize] }]),
    ...spec.layers.flatMap(ofLayer),
    ...norm(spec.finalNorm, hiddenSize),
    ...(head.tensor === embedding.tensor
      ? []
      : [{ name: head.tensor, shape: [vocabSize, hiddenSize] }]),
    ...(head.bias === null ? [] : [{ name: head.bias, shape: [vocabSize] }]),
  ];
}

/** A module that gets a pair of factors. */
export interface AdaptedModule {
  /** As PEFT names it. */
  readonly module: string;
  readonly tensor: string;
  readonly layout: "out_in" | "in_out";
  readonly kind: "linear" | "embedding";
  readonly inputs: number;
  readonly outputs: number;
}

const moduleOf = (tensor: string) => tensor.replace(/\.weight$/, "");

/**
 * The head as a projection, named by its module, which transformers calls so in every architecture: a
 * tied one has no tensor of its own.
 */
export function headProjection({ head, hiddenSize, vocabSize }: DecoderSpec): Projection {
  return {
    weight: "lm_head.weight",
    bias: head.bias,
    layout: "out_in",
    column: 0,
    inputs: hiddenSize,
    outputs: vocabSize,
  };
}

/** The modules that a LoRA's choice stands for in a decoder, embeddings first, the head last. */
export function adaptedModules(spec: DecoderSpec, target: LoraTarget): readonly AdaptedModule[] {
  const wanted = (...modules: readonly LoraModule[]) =>
    modules.some((module) => target.modules.includes(module));
  const linear = (projection: Projection, tensor = projection.weight): AdaptedModule => ({
    module: moduleOf(projection.weight),
    tensor,
    layout: projection.layout,
    kind: "linear",
    inputs: projection.inputs,
    outputs: projection.outputs,
  });
  const chosen = (projections: readonly Projection[], names: readonly LoraModule[]) =>
    projections.length === 1
      ? projections.filter(() => wanted(...names))
      : projections.filter((_, i) => wanted(names[i] as LoraModule));
  const { tensor } = spec.embedding;
  const embedding: AdaptedModule = {
    module: moduleOf(tensor),
    tensor,
    layout: "in_out",
    kind: "embedding",
    inputs: spec.vocabSize,
    outputs: spec.hiddenSize,
  };
  return [
    ...(wanted("embeddings") ? [embedding] : []),
    ...spec.layers.flatMap((layer) =>
      [
        ...chosen(layer.qkv, ["q", "k", "v"]),
        ...chosen([layer.attentionOut], ["o"]),
        ...chosen(layer.mlpIn, ["gate", "up"]),
        ...chosen([layer.mlpOut], ["down"]),
      ].map((projection) => linear(projection)),
    ),
    ...(wanted("head") ? [linear(headProjection(spec), spec.head.tensor)] : []),
  ];
}
