import type { DecoderSpec, LayerSpec, Projection } from "../../runtime/description/spec.ts";
import { headProjection } from "../../runtime/description/tensors.ts";
import type { LoraModule, LoraTarget } from "./target.ts";

/** A module with LoRA factors. */
export interface AdaptedModule {
  /** Name of the module in PEFT. */
  readonly module: string;
  readonly tensor: string;
  readonly layout: "out_in" | "in_out";
  readonly kind: "linear" | "embedding";
  readonly inputs: number;
  readonly outputs: number;
}

const moduleOf = (tensor: string) => tensor.replace(/\.weight$/, "");

/** The head under its module's name, which transformers gives it in every architecture. */
export function namedHead(spec: DecoderSpec): Projection {
  return { ...headProjection(spec), weight: "lm_head.weight" };
}

function linearModule(projection: Projection, tensor = projection.weight): AdaptedModule {
  return {
    module: moduleOf(projection.weight),
    tensor,
    layout: projection.layout,
    kind: "linear",
    inputs: projection.inputs,
    outputs: projection.outputs,
  };
}

function embeddingModule({ embedding, vocabSize, hiddenSize }: DecoderSpec): AdaptedModule {
  return {
    module: moduleOf(embedding.tensor),
    tensor: embedding.tensor,
    layout: "in_out",
    kind: "embedding",
    inputs: vocabSize,
    outputs: hiddenSize,
  };
}

/** Modules of one layer that a LoRA's targets select, in the order of the forward pass. */
export function adaptedInLayer(
  layer: LayerSpec,
  { modules }: LoraTarget,
): readonly AdaptedModule[] {
  const wanted = (name: LoraModule) => modules.includes(name);
  /** A fused matrix stands for all of its names; separate matrices stand for one each. */
  const chosen = (projections: readonly Projection[], names: readonly LoraModule[]) =>
    projections.length === 1
      ? projections.filter(() => names.some(wanted))
      : projections.filter((_, i) => wanted(names[i] as LoraModule));
  return [
    ...chosen(layer.qkv, ["q", "k", "v"]),
    ...chosen([layer.attentionOut], ["o"]),
    ...chosen(layer.mlpIn, ["gate", "up"]),
    ...chosen([layer.mlpOut], ["down"]),
  ].map((projection) => linearModule(projection));
}

/** Modules of a decoder that a LoRA's targets select, embeddings first, the head last. */
export function adaptedModules(spec: DecoderSpec, target: LoraTarget): readonly AdaptedModule[] {
  const { modules } = target;
  const embedding = modules.includes("embeddings") ? [embeddingModule(spec)] : [];
  const head = modules.includes("head") ? [linearModule(namedHead(spec), spec.head.tensor)] : [];
  const layers = spec.layers.flatMap((layer) => adaptedInLayer(layer, target));
  return [...embedding, ...layers, ...head];
}
