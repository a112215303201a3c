import { expect, test } from "vitest";
import { bareName, matchNames } from "./layouts.ts";

/** Names of a small model whose layers stand under `prefix`. */
const llama = (prefix: string, head = "lm_head.weight") => [
  `${prefix}embed_tokens.weight`,
  `${prefix}layers.0.self_attn.q_proj.weight`,
  `${prefix}layers.0.mlp.up_proj.weight`,
  `${prefix}norm.weight`,
  head,
];
const bert = (prefix: string) => [
  `${prefix}embeddings.word_embeddings.weight`,
  `${prefix}encoder.layer.0.attention.self.query.weight`,
  `${prefix}encoder.layer.0.output.LayerNorm.weight`,
  `${prefix}pooler.dense.weight`,
];
const vision = (prefix: string) => [
  `${prefix}vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight`,
  `${prefix}multi_modal_projector.linear_1.weight`,
];
const visual = (prefix: string) => [
  `${prefix}visual.blocks.0.attn.qkv.weight`,
  `${prefix}visual.merger.mlp.0.weight`,
];
const match = (ours: readonly string[], theirs: readonly string[]) =>
  Object.fromEntries(matchNames(new Set(ours), new Set(theirs)));
const pairs = (theirs: readonly string[], ours: readonly string[]) =>
  Object.fromEntries(theirs.map((name, i) => [name, ours[i]]).filter(([a, b]) => a !== b));

test.each([
  [
    "GPT-2 from the Hub",
    ["h.0.ln_1.weight", "wte.weight"],
    ["transformer.h.0.ln_1.weight", "transformer.wte.weight"],
  ],
  ["a base model", llama(""), llama("model.")],
  ["DataParallel", llama("model."), llama("module.model.", "module.lm_head.weight")],
  ["torch.compile", llama("model."), llama("_orig_mod.model.", "_orig_mod.lm_head.weight")],
  ["BERT without its prefix", bert("bert."), bert("")],
  ["sentence-transformers", bert(""), bert("0.auto_model.")],
  ["a prefix that no table knows", bert(""), bert("encoder_q.")],
  [
    "Mamba's backbone",
    ["backbone.layers.0.mixer.in_proj.weight"],
    ["layers.0.mixer.in_proj.weight"],
  ],
  [
    "LLaVA, old and new",
    [...llama("model.language_model."), ...vision("model.")],
    [...llama("language_model.model.", "language_model.lm_head.weight"), ...vision("")],
  ],
  [
    "Qwen2-VL, old and new",
    [...llama("model.language_model."), ...visual("model.")],
    [...llama("model."), ...visual("")],
  ],
])("%s is matched, both ways", (_, ours, theirs) => {
  expect(match(ours, theirs)).toEqual(pairs(theirs, ours));
  expect(match(theirs, ours)).toEqual(pairs(ours, theirs));
});

test("names that are the same stay, whatever else could be read into them", () => {
  expect(match(llama("model."), llama("model."))).toEqual({});
  expect(match(llama("model."), [...llama("model."), "norm.weight"])).toEqual({});
});

test("a name that could stand for two is left alone", () => {
  const both = ["model.norm.weight", "transformer.norm.weight", "model.layers.0.x.weight"];
  expect(match(both, ["norm.weight", "layers.0.x.weight"])).toEqual({
    "layers.0.x.weight": "model.layers.0.x.weight",
  });
});

test("towers of one model are never taken for each other", () => {
  const ours = [...vision("model."), ...llama("model.language_model.")];
  const theirs = ["text_model.encoder.layers.0.self_attn.q_proj.weight"];
  expect(match(ours, theirs)).toEqual({});
});

test("a prefix that fits few tensors is none", () => {
  const ours = ["x.a.weight", "b.weight", "c.weight", "d.weight", "e.weight"];
  expect(match(ours, ["a.weight", "p.weight", "q.weight", "r.weight"])).toEqual({});
});

test("a bare name keeps what says what the tensor is", () => {
  expect(bareName("model.model.weight")).toBe("model.weight");
  expect(bareName("weight")).toBe("weight");
  expect(bareName("")).toBe("");
});
