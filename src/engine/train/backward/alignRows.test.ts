import { expect, test } from "vitest";
import { parseConfig } from "../../checkpoint/config.ts";
import { describeDecoder } from "../../runtime/description/architecture.ts";
import type { LayerSpec } from "../../runtime/description/spec.ts";
import { listTensors } from "../../runtime/description/tensors.ts";
import { adaptedModules } from "./adaptedModules.ts";
import { alignRows } from "./alignRows.ts";
import { LORA_MODULES, type LoraTarget } from "./target.ts";

const SIZES = {
  vocab_size: 61,
  hidden_size: 35,
  num_hidden_layers: 2,
  num_attention_heads: 5,
  num_key_value_heads: 1,
  intermediate_size: 43,
  head_dim: 6,
};
const describe = (modelType: string, tied = false) =>
  describeDecoder(
    parseConfig(
      JSON.stringify({ ...SIZES, model_type: modelType, tie_word_embeddings: tied }),
      "config.json",
    ),
    "test",
  );
const LORA: LoraTarget = {
  kind: "lora",
  rank: 2,
  alpha: 2,
  rslora: false,
  dropout: 0,
  seed: 1,
  modules: LORA_MODULES,
};

test("projections, heads and halves of the MLP start at whole quads", () => {
  const { attention, mlp, qkv } = alignRows(describe("llama")).layers[1] as LayerSpec;
  expect(qkv.map(({ column }) => column)).toEqual([0, 32, 40]);
  expect([attention.query, attention.key, attention.value].map(({ offset }) => offset)).toEqual([
    0, 32, 40,
  ]);
  expect(attention.rowStride).toBe(48);
  expect([mlp.gateOffset, mlp.upOffset, mlp.rowStride]).toEqual([0, 44, 88]);
});

test("what one projection writes stays as it lies, up to the end of its row", () => {
  const spec = describe("phi3");
  const [before, after] = [spec, alignRows(spec)].map(({ layers }) => layers[0] as LayerSpec);
  const { attention, mlp } = after as LayerSpec;
  expect(attention).toEqual({ ...before?.attention, rowStride: 44 }); // 42 before
  expect(mlp).toEqual({ ...before?.mlp, rowStride: 88 });
});

test("every module that peft would adapt is named as it names it", () => {
  const named = (modelType: string, modules: LoraTarget["modules"]) =>
    adaptedModules(describe(modelType, true), { ...LORA, modules }).map(({ module }) => module);
  expect(named("llama", ["down", "q", "head"])).toEqual([
    "model.layers.0.self_attn.q_proj",
    "model.layers.0.mlp.down_proj",
    "model.layers.1.self_attn.q_proj",
    "model.layers.1.mlp.down_proj",
    "lm_head",
  ]);
  expect(named("phi3", ["k", "gate"]).slice(0, 2)).toEqual([
    "model.layers.0.self_attn.qkv_proj",
    "model.layers.0.mlp.gate_up_proj",
  ]);
  expect(named("gpt_neox", ["gate", "embeddings"])).toEqual([
    "gpt_neox.embed_in",
    "gpt_neox.layers.0.mlp.dense_h_to_4h",
    "gpt_neox.layers.1.mlp.dense_h_to_4h",
  ]);
});

test("a tied head's factors change the embedding's tensor, which is listed once", () => {
  const spec = describe("llama", true);
  expect(adaptedModules(spec, { ...LORA, modules: ["head"] })[0]?.tensor).toBe(
    "model.embed_tokens.weight",
  );
  const names = listTensors(spec).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).not.toContain("lm_head.weight");
  expect(listTensors(describe("llama")).map(({ name }) => name)).toContain("lm_head.weight");
});
