import { EngineError } from "../../contract/index.ts";
import { readActivation } from "./activation.ts";
import type { ConfigReader } from "./configReader.ts";
import { readRope } from "./ropeSpec.ts";
import type {
  AttentionSpec,
  DecoderSpec,
  LayerSpec,
  MlpSpec,
  NormTensors,
  Projection,
  RopeSpec,
} from "./spec.ts";

const MAX_LAYERS = 1024;
const MAX_HEADS = 1024;
/** Largest head that fits the attention kernel's workgroup memory. */
const MAX_HEAD_DIM = 512;

/** Sizes that every architecture has, by their names in config.json. */
export function readSizes(config: ConfigReader) {
  const hiddenSize = config.integer(["hidden_size", "n_embd"]);
  const heads = config.integer(["num_attention_heads", "n_head"], { max: MAX_HEADS });
  const kvHeads = config.integer(["num_key_value_heads"], { max: MAX_HEADS }, heads);
  if (config.raw("head_dim") === undefined && hiddenSize % heads !== 0) {
    throw new EngineError(
      "bad-config",
      `config.json has ${heads} heads over ${hiddenSize} dimensions, which they do not divide, and no head_dim.`,
      { heads, hiddenSize },
    );
  }
  const headDim = config.integer(["head_dim"], { max: MAX_HEAD_DIM }, hiddenSize / heads);
  if (heads % kvHeads !== 0) {
    throw new EngineError(
      "bad-config",
      `config.json has ${heads} query heads for ${kvHeads} key heads; the first must be a multiple of the second.`,
      { heads, kvHeads },
    );
  }
  return {
    hiddenSize,
    heads,
    kvHeads,
    headDim,
    layers: config.integer(["num_hidden_layers", "n_layer"], { max: MAX_LAYERS }),
    vocabSize: config.integer(["vocab_size"]),
    contextLength: config.integer(["max_position_embeddings", "n_positions"], { max: 2 ** 30 }),
  };
}

/** Heads of queries, then keys, then values. */
export function oneAfterTheOther(
  heads: number,
  kvHeads: number,
  headDim: number,
): Pick<AttentionSpec, "rowStride" | "query" | "key" | "value"> {
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  return {
    rowStride: queries + 2 * keys,
    query: { offset: 0, headStride: headDim },
    key: { offset: queries, headStride: headDim },
    value: { offset: queries + keys, headStride: headDim },
  };
}

/** A linear map as torch's `nn.Linear` stores it: `name.weight` and, with a bias, `name.bias`. */
export function linear(
  name: string,
  inputs: number,
  outputs: number,
  options: { readonly bias?: boolean; readonly column?: number } = {},
): Projection {
  const { bias = false, column = 0 } = options;
  return {
    weight: `${name}.weight`,
    bias: bias ? `${name}.bias` : null,
    layout: "out_in",
    inputs,
    outputs,
    column,
  };
}

/** Tensors of a norm by the module's name. */
export function normTensors(name: string, bias = false): NormTensors {
  return { weight: `${name}.weight`, bias: bias ? `${name}.bias` : null };
}

/** Layers with a sliding window, from `layer_types` where there is one, else from `fallback`. */
export function readSliding(
  config: ConfigReader,
  layers: number,
  fallback: (layer: number) => boolean,
): readonly boolean[] {
  const types = config.words("layer_types", layers);
  return Array.from({ length: layers }, (_, layer) => {
    const type = types?.[layer];
    if (type !== undefined && type !== "full_attention" && type !== "sliding_attention") {
      throw new EngineError(
        "unsupported-architecture",
        `Layer ${layer} is of type "${type.slice(0, 40)}"; full_attention and sliding_attention can be run.`,
        { layer, type: type.slice(0, 40) },
      );
    }
    return type === undefined ? fallback(layer) : type === "sliding_attention";
  });
}

/** Window of each layer; null for full attention. */
export function readWindows(
  config: ConfigReader,
  layers: number,
  window: number | null,
  fallback: (layer: number) => boolean,
): readonly (number | null)[] {
  return readSliding(config, layers, fallback).map((slides) => (slides ? window : null));
}

/** `pad_token_id`, counted from the end where negative; null where it is no token. */
function readPadding(config: ConfigReader, vocabSize: number): number | null {
  const id = config.raw("pad_token_id");
  if (!Number.isInteger(id)) return null;
  const counted = (id as number) < 0 ? (id as number) + vocabSize : (id as number);
  return counted >= 0 && counted < vocabSize ? counted : null;
}

/** `sliding_window` in tokens; null for none. */
export function readWindow(config: ConfigReader): number | null {
  return config.raw("sliding_window") === undefined
    ? null
    : config.integer(["sliding_window"], { max: 2 ** 30 });
}

export interface LlamaVariation {
  readonly attentionBias?: boolean;
  readonly attentionOutBias?: boolean;
  readonly mlpBias?: boolean;
  /** RMS norms over each query and key head (Qwen3). */
  readonly headNorms?: boolean;
  /** Rotated fraction of each head where config.json states none; by default all of it. */
  readonly rotaryFraction?: number;
  readonly windows?: (layers: number) => readonly (number | null)[];
  /** Where layers rotate differently: the rope of each, null for none; else all have the config's. */
  readonly ropes?: (layers: number, headDim: number) => readonly (RopeSpec | null)[];
}

/** Llama, and architectures that differ from it in a few options. */
export function llamaLike(
  architecture: string,
  config: ConfigReader,
  tied: boolean,
  variation: LlamaVariation = {},
): DecoderSpec {
  const { hiddenSize, heads, kvHeads, headDim, layers, vocabSize, contextLength } =
    readSizes(config);
  const size = config.integer(["intermediate_size"]);
  const views = oneAfterTheOther(heads, kvHeads, headDim);
  const windows = variation.windows?.(layers);
  const ropes =
    variation.ropes?.(layers, headDim) ??
    new Array<RopeSpec>(layers).fill(readRope(config, headDim, variation.rotaryFraction));
  const mlp: MlpSpec = {
    size,
    activation: readActivation(config, ["hidden_activation", "hidden_act"], "silu"),
    gateOffset: 0,
    upOffset: size,
    rowStride: 2 * size,
  };
  const qkvBias = { bias: variation.attentionBias ?? false };
  const mlpBias = { bias: variation.mlpBias ?? false };
  const layerOf = (i: number): LayerSpec => {
    const prefix = `model.layers.${i}.`;
    const attention = `${prefix}self_attn.`;
    return {
      attention: {
        heads,
        kvHeads,
        headDim,
        window: windows?.[i] ?? null,
        scale: headDim ** -0.5,
        softcap: null,
        rope: ropes[i] ?? null,
        ...views,
      },
      mlp,
      attentionNorm: normTensors(`${prefix}input_layernorm`),
      qkv: [
        linear(`${attention}q_proj`, hiddenSize, heads * headDim, qkvBias),
        linear(`${attention}k_proj`, hiddenSize, kvHeads * headDim, {
          ...qkvBias,
          column: views.key.offset,
        }),
        linear(`${attention}v_proj`, hiddenSize, kvHeads * headDim, {
          ...qkvBias,
          column: views.value.offset,
        }),
      ],
      queryNorm: variation.headNorms ? normTensors(`${attention}q_norm`) : null,
      keyNorm: variation.headNorms ? normTensors(`${attention}k_norm`) : null,
      attentionOut: linear(`${attention}o_proj`, heads * headDim, hiddenSize, {
        bias: variation.attentionOutBias ?? variation.attentionBias ?? false,
      }),
      postAttentionNorm: null,
      mlpNorm: normTensors(`${prefix}post_attention_layernorm`),
      mlpIn: [
        linear(`${prefix}mlp.gate_proj`, hiddenSize, size, mlpBias),
        linear(`${prefix}mlp.up_proj`, hiddenSize, size, { ...mlpBias, column: size }),
      ],
      mlpOut: linear(`${prefix}mlp.down_proj`, size, hiddenSize, mlpBias),
      postMlpNorm: null,
    };
  };
  return {
    architecture,
    optionalPrefix: "model.",
    vocabSize,
    hiddenSize,
    contextLength,
    embedding: {
      tensor: "model.embed_tokens.weight",
      scale: 1,
      positions: null,
      padding: readPadding(config, vocabSize),
    },
    norm: {
      kind: "rms",
      epsilon: config.number(["rms_norm_eps"], { min: 0, max: 1 }, 1e-6),
      weightOffset: 0,
    },
    parallelResidual: false,
    layers: Array.from({ length: layers }, (_, i) => layerOf(i)),
    finalNorm: normTensors("model.norm"),
    head: {
      tensor: tied ? "model.embed_tokens.weight" : "lm_head.weight",
      bias: null,
      softcap: null,
    },
  };
}
