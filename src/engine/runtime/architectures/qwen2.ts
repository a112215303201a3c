import type { Architecture } from "../description/architecture.ts";
import { llamaLike, readWindow, readWindows } from "../description/blocks.ts";

/** Qwen2: Llama with biases on queries, keys and values; upper layers may have a sliding window. */
export default {
  modelType: "qwen2",
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32_768, sliding_window: 4096 },
  describe(config, tied) {
    const slides = config.boolean(["use_sliding_window"], false);
    const from = config.integer(["max_window_layers"], { min: 0 }, 28);
    return llamaLike("qwen2", config, tied, {
      attentionBias: true,
      attentionOutBias: false,
      windows: (layers) =>
        readWindows(config, layers, slides ? readWindow(config) : null, (layer) => layer >= from),
    });
  },
} satisfies Architecture;
