import { expect, test } from "vitest";
import type { EngineError } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { planShards, type TensorToWrite } from "../formats/safetensors/shards.ts";
import { openCheckpoint } from "../open.ts";
import { applyAdapter } from "../views/adapter.ts";
import { scaleOf } from "./adapterConfig.ts";

const text = (content: string) => bytesInMemory(new TextEncoder().encode(content));
const tensor = (name: string, shape: readonly number[], dtype: TensorToWrite["dtype"] = "F32") => ({
  name,
  dtype,
  shape,
});

function weights(tensors: readonly TensorToWrite[]) {
  const [file] = planShards(tensors, { maxBytes: 1e6, metadata: {} }).files;
  const bytes = new Uint8Array(file!.byteLength).fill(60);
  bytes.set(file!.header);
  return bytesInMemory(bytes);
}

const Q = "base_model.model.model.layers.0.self_attn.q_proj";
const PLAIN = [tensor(`${Q}.lora_A.weight`, [2, 6]), tensor(`${Q}.lora_B.weight`, [4, 2])];

const openAdapter = (config: object, tensors: readonly TensorToWrite[]) =>
  openCheckpoint(
    new Map([
      ["adapter_config.json", text(JSON.stringify({ peft_type: "LORA", r: 2, ...config }))],
      ["adapter_model.safetensors", weights(tensors)],
    ]),
    "spice",
  );

async function refusal(work: Promise<unknown>): Promise<EngineError> {
  return work.then(
    () => Promise.reject(new Error("it was taken")),
    (error: EngineError) => error,
  );
}

test("a PEFT folder opens as an adapter that names its rank and its base", async () => {
  const opened = await openAdapter({ base_model_name_or_path: "acme/ember" }, PLAIN);
  expect(opened.adapter).toMatchObject({ base: "acme/ember", rank: 2 });
  expect(opened.notes[0]).toContain("LoRA of rank 2 on 1 module, trained on acme/ember");
});

const three = tensor(`${Q}.lora_A.weight`, [3, 6]);
test.each<[string, object, readonly TensorToWrite[], string, string]>([
  ["another kind", { peft_type: "IA3" }, PLAIN, "unsupported-architecture", '"IA3"'],
  [
    "changed base weights",
    { init_lora_weights: "pissa_niter_4" },
    PLAIN,
    "unsupported-architecture",
    "pissa",
  ],
  [
    "fused experts",
    { target_parameters: ["mlp.experts.up"] },
    PLAIN,
    "unsupported-architecture",
    "experts",
  ],
  ["no rank", { r: 0 }, PLAIN, "bad-config", "at least 1"],
  ["an alpha of words", { lora_alpha: "many" }, PLAIN, "bad-config", '"many"'],
  ["a rank of none", { rank_pattern: { q_proj: 0 } }, PLAIN, "bad-config", "q_proj"],
  ["a pattern without end", { alpha_pattern: { "(a+)+b": 1 } }, PLAIN, "bad-config", "(a+)+b"],
  ["magnitudes nowhere", { use_dora: true }, PLAIN, "bad-config", "lora_magnitude_vector"],
  ["no tensor", {}, [], "missing-tensor", "holds no tensor"],
  ["no B", {}, PLAIN.slice(0, 1), "missing-tensor", "lora_A and one lora_B"],
  [
    "another rank than stated",
    {},
    [three, tensor(`${Q}.lora_B.weight`, [4, 3])],
    "bad-shape",
    "states 2",
  ],
  ["factors of two ranks", {}, [three, PLAIN[1]!], "bad-shape", "[4,2] and its A [3,6]"],
  [
    "whole numbers",
    {},
    [PLAIN[0]!, tensor(`${Q}.lora_B.weight`, [4, 2], "I32")],
    "bad-dtype",
    "I32",
  ],
  [
    "a foreign part",
    {},
    [...PLAIN, tensor(`${Q}.lora_diag.weight`, [2])],
    "unsupported-architecture",
    "lora_diag",
  ],
  [
    "a factor twice",
    {},
    [...PLAIN, tensor(`${Q}.lora_A.default.weight`, [2, 6])],
    "bad-header",
    "one factor",
  ],
  [
    "rows of nobody",
    {},
    [tensor("m.embed.token_adapter.trainable_tokens_delta", [2, 6])],
    "bad-config",
    "m.embed",
  ],
])("an adapter with %s is refused with a sentence", async (_, config, tensors, code, says) => {
  const error = await refusal(openAdapter(config, tensors));
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringContaining(says),
  });
});

const openBase = (tensors: readonly TensorToWrite[]) =>
  openCheckpoint(new Map([["model.safetensors", weights(tensors)]]), "ember");

test.each<[string, readonly TensorToWrite[], string, string]>([
  [
    "lacks the module",
    [tensor("model.norm.weight", [6])],
    "missing-tensor",
    "trained on acme/ember",
  ],
  [
    "is of another width",
    [tensor("model.layers.0.self_attn.q_proj.weight", [4, 8])],
    "bad-shape",
    "6 inputs to 4 outputs",
  ],
  [
    "fuses other sizes",
    [tensor("model.layers.0.self_attn.qkv_proj.weight", [3, 6])],
    "bad-shape",
    "do not fit the 3",
  ],
])("a base that %s is refused with a sentence", async (_, tensors, code, says) => {
  const adapter = await openAdapter({ base_model_name_or_path: "acme/ember" }, PLAIN);
  const base = await openBase(tensors);
  const error = await refusal((async () => applyAdapter(base, adapter))());
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringContaining(says),
  });
});

test("a base with the wrappers of another layout has its own names", async () => {
  const adapter = await openAdapter({}, PLAIN);
  const base = await openBase([
    tensor("language_model.model.layers.0.self_attn.q_proj.weight", [4, 6]),
  ]);
  const { tensors } = applyAdapter(base, adapter);
  expect([...tensors.keys()]).toEqual([...base.tensors.keys()]);
  const [name = ""] = base.tensors.keys();
  expect(tensors.get(name)?.source).not.toBe(base.tensors.get(name)?.source);
});

test("an adapter's scale follows the first pattern that matches its name", async () => {
  const config = {
    lora_alpha: 4,
    alpha_pattern: { "self_attn.k_proj": 9, "layers\\.\\d+\\..*q_proj": 6 },
  };
  const { adapter } = await openAdapter(config, PLAIN);
  expect(scaleOf(adapter!, "model.layers.0.self_attn.q_proj")).toEqual({ rank: 2, scale: 3 });
  expect(scaleOf(adapter!, "model.layers.0.self_attn.k_proj")).toEqual({ rank: 2, scale: 4.5 });
  expect(scaleOf(adapter!, "model.layers.0.self_attn.v_proj")).toEqual({ rank: 2, scale: 2 });
});
