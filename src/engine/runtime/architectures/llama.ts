import type { Architecture } from "../description/architecture.ts";
import { llamaLike } from "../description/blocks.ts";

/** Llama 1 to 3, and models of the same architecture: SmolLM2, TinyLlama, Yi, DeepSeek's 7B. */
export default {
  modelType: "llama",
  defaults: { max_position_embeddings: 2048 },
  describe: (config, tied) =>
    llamaLike("llama", config, tied, {
      attentionBias: config.boolean(["attention_bias"], false),
      mlpBias: config.boolean(["mlp_bias"], false),
    }),
} satisfies Architecture;
