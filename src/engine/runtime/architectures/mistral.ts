import type { Architecture } from "../description/architecture.ts";
import { llamaLike, readWindow, readWindows } from "../description/blocks.ts";

/** Mistral: Llama with a sliding window in all layers. */
export default {
  modelType: "mistral",
  defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072, sliding_window: 4096 },
  describe: (config, tied) =>
    llamaLike("mistral", config, tied, {
      windows: (layers) => readWindows(config, layers, readWindow(config), () => true),
    }),
} satisfies Architecture;
