import type { Architecture } from "../description/architecture.ts";
import { linear, llamaLike, readWindow, readWindows } from "../description/blocks.ts";

/** Phi-3: Llama with one matrix for queries, keys and values, and one for gate and up. */
export default {
  modelType: "phi3",
  defaults: { max_position_embeddings: 4096, rms_norm_eps: 1e-5, pad_token_id: 32_000 },
  describe(config, tied) {
    const llama = llamaLike("phi3", config, tied, {
      rotaryFraction: 1,
      windows: (layers) => readWindows(config, layers, readWindow(config), () => true),
    });
    const { hiddenSize } = llama;
    const layers = llama.layers.map((part, i) => ({
      ...part,
      qkv: [linear(`model.layers.${i}.self_attn.qkv_proj`, hiddenSize, part.attention.rowStride)],
      mlpIn: [linear(`model.layers.${i}.mlp.gate_up_proj`, hiddenSize, part.mlp.rowStride)],
    }));
    return { ...llama, layers };
  },
} satisfies Architecture;
