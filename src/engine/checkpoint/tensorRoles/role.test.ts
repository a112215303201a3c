import { describe, expect, test } from "vitest";
import {
  countsTokens,
  headBeside,
  isBuffer,
  isHead,
  isTokenEmbedding,
  layerKey,
  moduleKey,
  roleOf,
} from "./role.ts";

describe("stacks and layers", () => {
  test.each([
    ["model.layers.3.self_attn.q_proj.weight", "text", "model.layers", 3],
    ["h.2.attn.c_attn.weight", "text", "h", 2],
    ["gpt_neox.layers.5.attention.dense.weight", "text", "gpt_neox.layers", 5],
    ["transformer.h.0.self_attention.query_key_value.weight", "text", "transformer.h", 0],
    ["model.layers.7.layer_scalar", "text", "model.layers", 7],
    ["model.layers.1.mlp.experts.12.up_proj.weight", "text", "model.layers", 1],
    ["bert.encoder.layer.4.attention.self.query.weight", "encoder", "bert.encoder.layer", 4],
    ["encoder.block.0.layer.1.DenseReluDense.wi.weight", "encoder", "encoder.block", 0],
    ["decoder.block.3.layer.1.EncDecAttention.q.weight", "decoder", "decoder.block", 3],
    // Vision-language models, in transformers' old and new layouts
    ["language_model.model.layers.9.mlp.up_proj.weight", "text", "language_model.model.layers", 9],
    ["model.language_model.layers.9.mlp.up_proj.weight", "text", "model.language_model.layers", 9],
    [
      "vision_tower.vision_model.encoder.layers.20.mlp.fc1.weight",
      "vision",
      "vision_tower.vision_model.encoder.layers",
      20,
    ],
    ["model.visual.blocks.1.attn.qkv.weight", "vision", "model.visual.blocks", 1],
    ["visual.merger.mlp.0.weight", "projector", null, null],
    ["model.mm_projector.2.bias", "projector", null, null],
    ["multi_modal_projector.linear_1.weight", "projector", null, null],
    ["audio_tower.layers.2.fc1.weight", "audio", "audio_tower.layers", 2],
    ["mtp.layers.0.mlp.up_proj.weight", "draft", "mtp.layers", 0],
    // A gate inside a text layer is no vision tower
    ["model.layers.3.vision_gate.weight", "text", "model.layers", 3],
    ["down_blocks.1.attentions.0.to_q.weight", "unet", "down_blocks", 1],
    ["lm_head.weight", "text", null, null],
    ["constructor", "text", null, null],
    ["0.weight", "text", null, null],
    ["", "text", null, null],
  ])("%s is in the stack %s, list %s, layer %s", (name, stack, list, layer) => {
    expect(roleOf(name)).toMatchObject({ stack, list, layer });
  });

  test("layers and modules have keys within their own stack", () => {
    const names = [
      "model.layers.20.self_attn.q_proj.weight",
      "vision_tower.encoder.layers.20.self_attn.q_proj.weight",
    ];
    expect(names.map(layerKey)).toEqual(["model.layers.20", "vision_tower.encoder.layers.20"]);
    expect(names.map(moduleKey)).toEqual([
      "model.layers.20.self_attn",
      "vision_tower.encoder.layers.20.self_attn",
    ]);
    expect(moduleKey("model.norm.weight")).toBe("model.norm.weight");
    expect(layerKey("mm_projector.0.weight")).toBeNull();
  });
});

describe("kinds", () => {
  test.each([
    ["model.layers.0.self_attn.q_proj.weight", "q", "attention", "weight"],
    ["model.layers.0.self_attn.k_proj.bias", "k", "attention", "bias"],
    ["bert.encoder.layer.0.attention.self.query.weight", "q", "attention", "weight"],
    ["bert.encoder.layer.0.output.LayerNorm.bias", "ln₂", "norm", "bias"],
    ["model.layers.0.input_layernorm.weight", "ln₁", "norm", "weight"],
    ["model.layers.1.mlp.experts.12.up_proj.weight", "up #12", "mlp", "weight"],
    ["lm_head.weight", "head", "head", "weight"],
    ["model.layers.0.self_attn.rotary_emb.inv_freq", null, "attention", "buffer"],
    ["h.0.attn.bias", null, "attention", "buffer"],
    ["model.layers.0.mlp.up_proj.weight_scale_inv", "up", "mlp", "companion"],
  ])("%s is %s of %s, a %s", (name, matrix, group, part) => {
    expect(roleOf(name)).toMatchObject({ matrix, group, part });
  });

  test.each([
    "model.embed_tokens.weight",
    "transformer.wte.weight",
    "gpt_neox.embed_in.weight",
    "bert.embeddings.word_embeddings.weight",
    "shared.weight",
    "backbone.embeddings.weight",
    "language_model.model.embed_tokens.weight",
  ])("%s has a row a token", (name) => {
    expect([isTokenEmbedding(name), countsTokens(name), isHead(name)]).toEqual([true, true, false]);
  });

  test.each([
    "lm_head.weight",
    "language_model.lm_head.weight",
    "embed_out.weight",
    "output.weight",
    "cls.predictions.decoder.weight",
    "lm_head.decoder.weight",
  ])("%s is a head", (name) => {
    expect([isHead(name), countsTokens(name)]).toEqual([true, true]);
  });

  test.each([
    "encoder.layer.0.attention.output.weight",
    "model.layers.0.output.weight",
    "lm_head.dense.weight",
    "transformer.wpe.weight",
    "vision_tower.embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
    "mlp.shared_expert.weight",
  ])("%s does not count tokens", (name) => {
    expect(countsTokens(name)).toBe(false);
  });

  test("the bias of a head counts tokens and is no head", () => {
    expect([countsTokens("lm_head.bias"), isHead("lm_head.bias")]).toEqual([true, false]);
  });
});

describe("buffers", () => {
  test.each([
    "model.layers.0.self_attn.rotary_emb.inv_freq",
    "model.rotary_emb.inv_freq",
    "transformer.rotary_pos_emb.inv_freq",
    "visual.rotary_pos_emb.inv_freq",
    "h.0.attn.bias",
    "transformer.h.0.attn.masked_bias",
    "gpt_neox.layers.0.attention.bias",
    "transformer.h.0.attn.attention.bias",
    "cond_stage_model.transformer.text_model.embeddings.position_ids",
    "bert.embeddings.position_ids",
    "alphas_cumprod",
    "model_ema.decay",
  ])("%s is one", (name) => expect(isBuffer(name)).toBe(true));

  test.each([
    "h.0.attn.c_attn.bias",
    "gpt_neox.layers.0.attention.dense.bias",
    "model.layers.0.self_attn.q_proj.bias",
    "model.layers.3.mlp.gate.e_score_correction_bias",
    "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    "layers.0.blocks.0.attn.relative_position_bias_table",
    "attn.qkv.bias",
    "logit_scale",
  ])("%s is learned", (name) => expect(isBuffer(name)).toBe(false));
});

test.each([
  ["model.embed_tokens.weight", "lm_head.weight"],
  ["transformer.wte.weight", "lm_head.weight"],
  ["gpt_neox.embed_in.weight", "embed_out.weight"],
  ["language_model.model.embed_tokens.weight", "language_model.lm_head.weight"],
  ["model.language_model.embed_tokens.weight", "lm_head.weight"],
])("beside %s the head is %s", (embedding, head) => {
  expect(headBeside(embedding)).toBe(head);
});
