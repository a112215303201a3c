import { expect, test } from "vitest";
import { placeTensor } from "./place.ts";

test.each([
  // Llama, Mistral, Qwen
  ["model.embed_tokens.weight", null, "embed", "embedding"],
  ["model.layers.0.self_attn.q_proj.weight", 0, "q", "attention"],
  ["model.layers.31.self_attn.o_proj.weight", 31, "o", "attention"],
  ["model.layers.3.self_attn.k_proj.bias", 3, "k bias", "attention"],
  ["model.layers.3.self_attn.q_norm.weight", 3, "q norm", "norm"],
  ["model.layers.3.mlp.gate_proj.weight", 3, "gate", "mlp"],
  ["model.layers.3.input_layernorm.weight", 3, "ln₁", "norm"],
  ["model.layers.3.post_attention_layernorm.weight", 3, "ln₂", "norm"],
  ["model.norm.weight", null, "norm", "norm"],
  ["lm_head.weight", null, "head", "head"],
  // Gemma
  ["model.layers.3.pre_feedforward_layernorm.weight", 3, "ln₃", "norm"],
  // Phi-3
  ["model.layers.9.self_attn.qkv_proj.weight", 9, "qkv", "attention"],
  ["model.layers.9.mlp.gate_up_proj.weight", 9, "gate·up", "mlp"],
  // GPT-2, with and without its prefix
  ["transformer.h.2.attn.c_attn.weight", 2, "qkv", "attention"],
  ["h.2.mlp.c_proj.bias", 2, "down bias", "mlp"],
  ["h.2.attn.bias", 2, "attn bias", "attention"],
  ["transformer.wpe.weight", null, "positions", "embedding"],
  ["transformer.ln_f.bias", null, "norm bias", "norm"],
  // GPT-NeoX
  ["gpt_neox.layers.5.attention.query_key_value.weight", 5, "qkv", "attention"],
  ["gpt_neox.layers.5.mlp.dense_4h_to_h.weight", 5, "down", "mlp"],
  ["gpt_neox.embed_in.weight", null, "embed", "embedding"],
  ["embed_out.weight", null, "head", "head"],
  // Experts
  ["model.layers.1.block_sparse_moe.experts.7.w2.weight", 1, "down #7", "mlp"],
  ["model.layers.1.mlp.experts.12.up_proj.weight", 1, "up #12", "mlp"],
  ["model.layers.1.mlp.gate.weight", 1, "router", "mlp"],
  // A second stack in the same model
  ["model.vision_tower.layers.1.self_attn.q_proj.weight", 1, "vision q", "attention"],
  ["language_model.model.layers.1.self_attn.q_proj.weight", 1, "q", "attention"],
  // Nobody's
  ["rwkv.blocks.1.attention.time_decay", 1, "attention time_decay", "attention"],
  ["blocks.1.ffn.key.weight", 1, "ffn key", "mlp"],
  ["model.layers.0.self_attn.rotary_emb.inv_freq", 0, "self_attn rotary_emb inv_freq", "attention"],
  ["w", null, "w", "other"],
  ["", null, "", "other"],
  ["__proto__", null, "__proto__", "other"],
  ["model.layers.0.toString.weight", 0, "toString", "other"],
])("%s stands in layer %s, column %s, among %s", (name, layer, column, group) => {
  expect(placeTensor(name)).toEqual({ layer, column, group });
});

test("weight and bias of one matrix have cells of their own", () => {
  const places = ["weight", "bias"].map((end) => placeTensor(`h.0.attn.c_proj.${end}`).column);
  expect(places).toEqual(["o", "o bias"]);
});
