import { expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import { type Checkpoint, type CheckpointTensor, readTensor } from "../checkpoint.ts";
import { findModule, followsLayers, moduleNames } from "../tensorRoles/modules.ts";
import { cutLayers, pickTensors, shiftLayer } from "./layers.ts";

/** A checkpoint whose tensors hold one byte each, their place in the list. */
function checkpoint(names: readonly string[]): Checkpoint {
  const tensors = names.map((name, i): [string, CheckpointTensor] => {
    const source = bytesInMemory(Uint8Array.of(i));
    const about = { dtype: "U8" as const, shape: [1], elementCount: 1, byteLength: 1 };
    return [name, { ...about, name, file: "model.safetensors", source, start: 0 }];
  });
  return {
    name: "model",
    config: null,
    tensors: new Map(tensors),
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}

const LLAMA = checkpoint([
  "model.embed_tokens.weight",
  ...[0, 1, 2, 3].map((i) => `model.layers.${i}.mlp.experts.3.up_proj.weight`),
  "model.norm.weight",
  "lm_head.weight",
]);
const cut = (more: Partial<Parameters<typeof cutLayers>[1]>) =>
  cutLayers(LLAMA, {
    list: "model.layers",
    range: [1, 3],
    at: 7,
    before: false,
    after: false,
    ...more,
  });

test("a range of layers has new numbers and the bytes that it had", async () => {
  const { tensors } = cut({});
  expect([...tensors.keys()]).toEqual([
    "model.layers.7.mlp.experts.3.up_proj.weight",
    "model.layers.8.mlp.experts.3.up_proj.weight",
  ]);
  const bytes = await Promise.all([...tensors.values()].map((each) => readTensor(each, 0, 1)));
  expect(bytes.map(([byte]) => byte)).toEqual([2, 3]);
});

test("what lies around the layers comes with the first and the last slice", () => {
  expect([...cut({ before: true, range: [0, 0] }).tensors.keys()]).toEqual([
    "model.embed_tokens.weight",
  ]);
  expect([...cut({ after: true, range: [0, 0] }).tensors.keys()]).toEqual([
    "model.norm.weight",
    "lm_head.weight",
  ]);
});

test("only the layer's own number is shifted", () => {
  const name = "model.layers.10.mlp.experts.10.w1.weight";
  expect(shiftLayer(name, "model.layers", -7)).toBe("model.layers.3.mlp.experts.10.w1.weight");
  expect(shiftLayer(name, "vision.layers", 2)).toBe(name);
  expect(shiftLayer("model.norm.weight", "model.layers", 2)).toBe("model.norm.weight");
});

test.each([
  // What mergekit 0.1.5 lists before and after the layers, by architecture.
  ["model.embed_tokens.weight", false],
  ["transformer.wte.weight", false],
  ["transformer.wpe.weight", false],
  ["gpt_neox.embed_in.weight", false],
  ["bert.embeddings.LayerNorm.weight", false],
  ["transformer.embd.wte.weight", false],
  ["transformer.relative_pe.slopes", false],
  ["model.embedding_norm.weight", false],
  ["vision_tower.vision_model.embeddings.patch_embedding.weight", false],
  ["vision_tower.ln_pre.weight", false],
  ["vision_tower.patch_conv.weight", false],
  ["vision_model.layernorm_pre.weight", false],
  ["model.encoder.conv1.weight", false],
  ["model.norm.weight", true],
  ["lm_head.weight", true],
  ["lm_head.bias", true],
  ["embed_out.weight", true],
  ["backbone.norm_f.weight", true],
  ["transformer.ln_f.bias", true],
  ["gpt_neox.final_layer_norm.weight", true],
  ["bert.pooler.dense.weight", true],
  ["score.weight", true],
  ["classifier.dense.weight", true],
  ["vocab_projector.weight", true],
  ["vision_tower.vision_model.post_layernorm.weight", true],
  ["vision_model.vision_adapter.mlp.fc1.weight", true],
])("%s follows the layers: %s", (name, follows) => {
  expect(followsLayers(name)).toBe(follows);
});

const VISION_LANGUAGE = checkpoint([
  "language_model.model.embed_tokens.weight",
  "language_model.model.layers.0.mlp.up_proj.weight",
  "language_model.lm_head.weight",
  "multi_modal_projector.linear_1.weight",
  "vision_tower.vision_model.embeddings.patch_embedding.weight",
  "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight",
]);
const T5 = checkpoint([
  "shared.weight",
  "encoder.block.0.layer.0.SelfAttention.q.weight",
  "encoder.final_layer_norm.weight",
  "decoder.block.0.layer.0.SelfAttention.q.weight",
  "lm_head.weight",
]);
const AUDIO = checkpoint([
  "audio_tower.layers.0.fc1.weight",
  "audio_tower.layers.0.fc2.weight",
  "language_model.model.layers.0.mlp.up_proj.weight",
  "other.weight",
]);

test("modules have mergekit's names", () => {
  expect(moduleNames(LLAMA)).toEqual(["default"]);
  expect(moduleNames(VISION_LANGUAGE)).toEqual([
    "text_decoder",
    "multi_modal_projector",
    "vision_tower",
  ]);
  expect(moduleNames(T5)).toEqual(["encoder", "decoder", "shared"]);
  expect(moduleNames(AUDIO)).toEqual([
    "default",
    "audio_tower.layers",
    "language_model.model.layers",
  ]);
});

test.each([
  [LLAMA, "default", 7, "model.layers"],
  [VISION_LANGUAGE, "text_decoder", 3, "language_model.model.layers"],
  [VISION_LANGUAGE, "vision_tower", 2, "vision_tower.vision_model.encoder.layers"],
  [VISION_LANGUAGE, "vision_model", 2, "vision_tower.vision_model.encoder.layers"],
  [VISION_LANGUAGE, "multi_modal_projector", 1, null],
  [T5, "encoder", 2, "encoder.block"],
  [T5, "decoder", 1, "decoder.block"],
  [T5, "shared", 2, null],
  [AUDIO, "audio_tower.layers", 2, "audio_tower.layers"],
  [AUDIO, "default", 1, null],
] as const)("a module has its own tensors (%#)", (model, name, count, list) => {
  const found = findModule(model, name);
  expect(found?.list).toBe(list);
  expect(pickTensors(model, found?.tensors ?? new Set()).tensors.size).toBe(count);
});

test("a module that a model does not have is none", () => {
  expect(findModule(LLAMA, "vision_tower")).toBeNull();
  expect(findModule(LLAMA, "constructor")).toBeNull();
});
