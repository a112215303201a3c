import { expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { parseConfig } from "../config.ts";
import { countLayers, openDepths } from "./depth.ts";

function checkpoint(names: readonly string[], config: object | null = null): Checkpoint {
  const tensors = names.map((name): [string, CheckpointTensor] => [
    name,
    {
      name,
      dtype: "F32",
      shape: [1],
      elementCount: 1,
      byteLength: 4,
      file: "model.safetensors",
      source: bytesInMemory(new Uint8Array(4)),
      start: 0,
    },
  ]);
  return {
    name: "model",
    config: config && parseConfig(JSON.stringify(config), "config.json"),
    tensors: new Map(tensors),
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}

const stack = (list: string, layers: number, rest: string) =>
  Array.from({ length: layers }, (_, i) => `${list}.${i}.${rest}`);

test("each stack of a vision-language model has its own depth", () => {
  const model = checkpoint(
    [
      ...stack("language_model.model.layers", 32, "mlp.up_proj.weight"),
      ...stack("vision_tower.vision_model.encoder.layers", 24, "mlp.fc1.weight"),
      "multi_modal_projector.linear_1.weight",
    ],
    { text_config: { num_hidden_layers: 32 }, vision_config: { num_hidden_layers: 24 } },
  );
  const depthOf = openDepths(model);
  expect(depthOf("language_model.model.layers.20.mlp.up_proj.weight")).toEqual({
    layer: 20,
    layers: 32,
  });
  expect(depthOf("vision_tower.vision_model.encoder.layers.20.mlp.fc1.weight")).toEqual({
    layer: 20,
    layers: 24,
  });
  expect(depthOf("multi_modal_projector.linear_1.weight").layer).toBeNull();
  expect(countLayers(model)).toBe(32);
});

test("encoder and decoder of T5 are two stacks", () => {
  const model = checkpoint(
    [
      ...stack("encoder.block", 8, "layer.0.SelfAttention.q.weight"),
      ...stack("decoder.block", 6, "layer.0.SelfAttention.q.weight"),
    ],
    { num_layers: 8, num_decoder_layers: 6 },
  );
  const depthOf = openDepths(model);
  expect(depthOf("encoder.block.5.layer.0.SelfAttention.q.weight").layers).toBe(8);
  expect(depthOf("decoder.block.5.layer.0.SelfAttention.q.weight").layers).toBe(6);
});

test("layers that predict further tokens do not deepen the language model", () => {
  const model = checkpoint(stack("model.layers", 5, "mlp.up_proj.weight"), {
    num_hidden_layers: 4,
  });
  expect(openDepths(model)("model.layers.3.mlp.up_proj.weight").layers).toBe(4);
});

test("without a config the names say the depth, the language model's first", () => {
  const names = [
    ...stack("model.layers", 2, "mlp.up_proj.weight"),
    ...stack("visual.blocks", 5, "mlp.fc1.weight"),
  ];
  expect(countLayers(checkpoint(names))).toBe(2);
  expect(countLayers(checkpoint(stack("visual.blocks", 5, "mlp.fc1.weight")))).toBe(5);
});
