import { expect, test } from "vitest";
import { listFolders } from "./folders.ts";

const names = (paths: readonly string[]) =>
  listFolders(paths).map(({ name, files }) => [name, files.map((file) => file.name)]);

test("a folder with config and weights is one checkpoint, with its side files", () => {
  expect(
    listFolders(["ember/config.json", "ember/model.safetensors", "ember/tokenizer.json"]),
  ).toEqual([
    {
      name: "ember",
      files: [
        { path: "ember/config.json", name: "config.json" },
        { path: "ember/model.safetensors", name: "model.safetensors" },
        { path: "ember/tokenizer.json", name: "tokenizer.json" },
      ],
    },
  ]);
});

test("each folder below a dropped folder is looked at by itself", () => {
  const paths = [
    "all/README.md",
    "all/a/model.safetensors",
    "all/a/onnx/model.onnx",
    "all/b/config.json",
    "all/b/x-00001-of-00001.safetensors",
    "all/b/x.safetensors.index.json",
    "all/c/config.json",
  ];
  expect(names(paths)).toEqual([
    ["a", ["model.safetensors", "onnx/model.onnx"]],
    ["b", ["config.json", "x-00001-of-00001.safetensors", "x.safetensors.index.json"]],
  ]);
});

test("lone files are checkpoints of their own name", () => {
  expect(names(["one.safetensors", "two.safetensors", "notes.txt"])).toEqual([
    ["one", ["one.safetensors"]],
    ["two", ["two.safetensors"]],
  ]);
});

test("loose files with a config are one checkpoint, named after its weights", () => {
  expect(names(["config.json", "ember.safetensors"])).toEqual([
    ["ember", ["config.json", "ember.safetensors"]],
  ]);
});

test("shards without a config stay together", () => {
  expect(
    names(["m/model-00001-of-00002.safetensors", "m/model-00002-of-00002.safetensors"]),
  ).toEqual([["m", ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]]]);
});

test("a folder of pickles is named, so that opening it can say what to do", () => {
  expect(names(["old/config.json", "old/pytorch_model.bin"])).toHaveLength(1);
  expect(names(["old/training_args.bin", "old/optimizer.pt"])).toEqual([]);
});

test("a folder whose weights did not come along is named too", () => {
  expect(names(["m/config.json", "m/model.safetensors.index.json"])).toHaveLength(1);
});

test("the Hub's cache gives owner and name, not the commit", () => {
  const snapshot = "hub/models--acme--ember-7B/snapshots/0a1b2c";
  const blobs = ["hub/models--acme--ember-7B/blobs/0a1b2c", "hub/models--acme--ember-7B/refs/main"];
  expect(names([...blobs, `${snapshot}/config.json`, `${snapshot}/model.safetensors`])).toEqual([
    ["acme/ember-7B", ["config.json", "model.safetensors"]],
  ]);
});

test("hidden files and folders are left out", () => {
  const paths = ["m/.git/lfs/model.safetensors", "m/.DS_Store", "m/model.safetensors"];
  expect(names(paths)).toEqual([["m", ["model.safetensors"]]]);
});

test("an ONNX export is a checkpoint with its folder onnx, where there are no other weights", () => {
  const side = ["slate/config.json", "slate/tokenizer.json"];
  const graph = ["slate/onnx/model.onnx", "slate/onnx/model.onnx_data"];
  expect(names([...side, ...graph])).toEqual([
    ["slate", ["config.json", "tokenizer.json", "onnx/model.onnx", "onnx/model.onnx_data"]],
  ]);
  expect(names(["slate/config.json", "slate/model.onnx"])).toEqual([
    ["slate", ["config.json", "model.onnx"]],
  ]);
  expect(names(["config.json", "onnx/model.onnx"])).toHaveLength(1);
  const quantised = ["slate/config.json", "slate/onnx/model_quantized.onnx"];
  expect(names(quantised)).toHaveLength(1);
  expect(names([...quantised, "slate/onnx/model_q4.onnx"])).toHaveLength(1);
  expect(names([...side, ...graph, "slate/model.safetensors"])).toEqual([
    [
      "slate",
      [
        "config.json",
        "tokenizer.json",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "model.safetensors",
      ],
    ],
  ]);
  expect(names(graph)).toEqual([]);
  expect(
    names(["slate/config.json", "slate/onnx/encoder.onnx", "slate/onnx/decoder.onnx"]),
  ).toEqual([]);
});

test("folders below belong to the model above, unless they are models themselves", () => {
  const model = ["m/config.json", "m/modules.json", "m/model.safetensors"];
  const below = ["m/1_Pooling/config.json", "m/2_Dense/model.safetensors"];
  const other = ["m/checkpoint-500/model.safetensors", "m/checkpoint-500/global_step1/x.pt"];
  expect(names([...model, ...below, ...other])).toEqual([
    [
      "m",
      [
        "config.json",
        "modules.json",
        "model.safetensors",
        "1_Pooling/config.json",
        "2_Dense/model.safetensors",
      ],
    ],
    ["checkpoint-500", ["model.safetensors", "global_step1/x.pt"]],
  ]);
});

test("a file of any known format is named, so that opening it can say why not", () => {
  for (const file of ["ember.gguf", "flax_model.msgpack", "adapter_config.json", "ember.ckpt"]) {
    expect(names([file])).toHaveLength(1);
  }
  expect(names(["notes.txt", "ember.zip", "linear.yml"])).toEqual([]);
});
