import type { Architecture } from "../description/architecture.ts";
import { llamaLike, normTensors, readWindow, readWindows } from "../description/blocks.ts";

const CAP = { min: 1e-3, max: 1e6 };

/**
 * Gemma 2 (arXiv 2408.00118): norms before and after each half of a layer, with 1 + w; a sliding
 * window in every other layer; soft-capped scores and logits; a scaled embedding.
 */
export default {
  modelType: "gemma2",
  defaults: {
    head_dim: 256,
    pad_token_id: 0,
    num_key_value_heads: 4,
    max_position_embeddings: 8192,
    sliding_window: 4096,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    hidden_activation: "gelu_pytorch_tanh",
  },
  describe(config, tied) {
    const llama = llamaLike("gemma2", config, tied, {
      attentionBias: config.boolean(["attention_bias"], false),
      windows: (layers) =>
        readWindows(config, layers, readWindow(config), (layer) => layer % 2 === 0),
    });
    const scale = config.number(["query_pre_attn_scalar"], { min: 1e-3, max: 1e6 }, 256) ** -0.5;
    const softcap = config.optionalNumber(["attn_logit_softcapping"], CAP);
    return {
      ...llama,
      embedding: { ...llama.embedding, scale: Math.sqrt(llama.hiddenSize) },
      norm: { ...llama.norm, weightOffset: 1 },
      layers: llama.layers.map((part, i) => ({
        ...part,
        attention: { ...part.attention, scale, softcap },
        postAttentionNorm: normTensors(`model.layers.${i}.post_attention_layernorm`),
        mlpNorm: normTensors(`model.layers.${i}.pre_feedforward_layernorm`),
        postMlpNorm: normTensors(`model.layers.${i}.post_feedforward_layernorm`),
      })),
      head: { ...llama.head, softcap: config.optionalNumber(["final_logit_softcapping"], CAP) },
    };
  },
} satisfies Architecture;
