import { EngineError } from "../../contract/index.ts";
import type { Architecture } from "../description/architecture.ts";
import {
  llamaLike,
  normTensors,
  readSliding,
  readWindow,
  readWindows,
} from "../description/blocks.ts";
import { readRopesByType } from "../description/ropeSpec.ts";

/**
 * Gemma 3's text model (arXiv 2503.19786): Gemma 2 with norms over queries and keys in place of the
 * scores' cap, and a sliding window in five of six layers, which have a rope of their own.
 */
export default {
  modelType: "gemma3_text",
  defaults: {
    head_dim: 256,
    pad_token_id: 0,
    num_key_value_heads: 4,
    max_position_embeddings: 131_072,
    sliding_window: 4096,
    hidden_activation: "gelu_pytorch_tanh",
  },
  describe(config, tied) {
    if (config.boolean(["use_bidirectional_attention"], false)) {
      throw new EngineError(
        "unsupported-architecture",
        "This Gemma 3 attends in both directions (use_bidirectional_attention): it encodes texts and cannot continue them.",
        { key: "use_bidirectional_attention" },
      );
    }
    const pattern = config.integer(["sliding_window_pattern", "_sliding_window_pattern"], {}, 6);
    const slides = (layer: number) => (layer + 1) % pattern !== 0;
    const llama = llamaLike("gemma3_text", config, tied, {
      attentionBias: config.boolean(["attention_bias"], false),
      headNorms: true,
      windows: (layers) => readWindows(config, layers, readWindow(config), slides),
      ropes(layers, headDim) {
        const { full, sliding } = readRopesByType(config, headDim);
        return readSliding(config, layers, slides).map((slid) => (slid ? sliding : full));
      },
    });
    const scale = config.number(["query_pre_attn_scalar"], { min: 1e-3, max: 1e6 }, 256) ** -0.5;
    return {
      ...llama,
      embedding: { ...llama.embedding, scale: Math.sqrt(llama.hiddenSize) },
      norm: { ...llama.norm, weightOffset: 1 },
      layers: llama.layers.map((part, i) => ({
        ...part,
        attention: { ...part.attention, scale },
        postAttentionNorm: normTensors(`model.layers.${i}.post_attention_layernorm`),
        mlpNorm: normTensors(`model.layers.${i}.pre_feedforward_layernorm`),
        postMlpNorm: normTensors(`model.layers.${i}.post_feedforward_layernorm`),
      })),
      head: {
        ...llama.head,
        softcap: config.optionalNumber(["final_logit_softcapping"], { min: 1e-3, max: 1e6 }),
      },
    };
  },
} satisfies Architecture;
