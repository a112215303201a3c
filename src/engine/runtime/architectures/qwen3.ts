import type { Architecture } from "../description/architecture.ts";
import { llamaLike, readWindow, readWindows } from "../description/blocks.ts";

/** Qwen3: Qwen2 with a norm on every query and key head in place of the biases. */
export default {
  modelType: "qwen3",
  defaults: {
    head_dim: 128,
    num_key_value_heads: 32,
    max_position_embeddings: 32_768,
    sliding_window: 4096,
  },
  describe(config, tied) {
    const slides = config.boolean(["use_sliding_window"], false);
    const from = config.integer(["max_window_layers"], { min: 0 }, 28);
    return llamaLike("qwen3", config, tied, {
      attentionBias: config.boolean(["attention_bias"], false),
      headNorms: true,
      windows: (layers) =>
        readWindows(config, layers, slides ? readWindow(config) : null, (layer) => layer >= from),
    });
  },
} satisfies Architecture;
