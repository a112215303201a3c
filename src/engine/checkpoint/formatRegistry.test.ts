import { expect, test } from "vitest";
import { defineFormat } from "./checkpointFormat.ts";
import { findFormat, isWeightFile, orderFormats, recogniseFormat } from "./formatRegistry.ts";

test("a weight file is what any format says is one, and no state of a training", () => {
  const weights = [
    "model.safetensors",
    "a/b/model-00001-of-00002.safetensors",
    "pytorch_model.bin",
    "consolidated.00.pth",
    "m.gguf",
    "onnx/model_q4.onnx",
    "onnx/model.onnx_data",
    "tf_model.h5",
    "weights.npz",
  ];
  expect(weights.filter((path) => !isWeightFile(path))).toEqual([]);
  const others = [
    "training_args.bin",
    "optimizer.pt",
    "rng_state_0.pth",
    "global_step500/mp_rank_00_model_states.pt",
    "config.json",
    "model.safetensors.index.json",
    "tokenizer.model",
  ];
  expect(others.filter(isWeightFile)).toEqual([]);
});

test("of several formats in one folder the first in order is opened", () => {
  const titles = (paths: readonly string[]) => findFormat(paths)?.title;
  expect(titles(["config.json", "model.safetensors", "pytorch_model.bin"])).toBe("safetensors");
  expect(titles(["config.json", "pytorch_model.bin", "onnx/model.onnx"])).toBe("PyTorch pickle");
  expect(titles(["adapter_config.json", "adapter_model.bin"])).toBe("PEFT adapter");
  expect(titles(["adapter_config.json", "model.safetensors"])).toBe("safetensors");
  expect(titles(["config.json", "tokenizer.json"])).toBeUndefined();
});

test("first bytes tell formats apart", () => {
  const title = (...bytes: number[]) => recogniseFormat(Uint8Array.from(bytes))?.title;
  expect(title(0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 1)).toBe("GGUF");
  expect(title(0x50, 0x4b, 3, 4, 0, 0, 8, 8)).toBe("PyTorch pickle");
  expect(title(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46)).toBe("PyTorch pickle");
  expect(title(0x40, 1, 0, 0, 0, 0, 0, 0, 0x7b)).toBe("safetensors");
  expect(title(...new TextEncoder().encode("plain text"))).toBeUndefined();
  expect(title()).toBeUndefined();
});

test("two formats of one order are refused: which is opened would depend on the file system", () => {
  const format = defineFormat({
    title: "x",
    order: 1,
    isWeights: () => false,
    match: () => false,
    open: async () => ({ tensors: new Map(), files: [], notes: [] }),
  });
  expect(() => orderFormats([format, format])).toThrow("orders differ");
});
