import { expect, test } from "vitest";
import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { dequantise } from "../../checkpoint/quantised/findQuantised.ts";
import type { DType } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { measureDecoder } from "./plan.ts";
import { keptFormat, TensorLookup } from "./tensorLookup.ts";

const UP = "model.layers.0.mlp.up_proj";

function tensor(name: string, dtype: DType, shape: readonly number[]): CheckpointTensor {
  const elementCount = shape.reduce((product, axis) => product * axis, 1);
  const size = byteLength(dtype, elementCount);
  const source = bytesInMemory(new Uint8Array(size));
  return { name, dtype, shape, elementCount, byteLength: size, file: "m", source, start: 0 };
}

function open(...all: readonly CheckpointTensor[]): Checkpoint {
  const found = dequantise(new Map(all.map((it) => [it.name, it])), null);
  return { name: "ember", config: null, files: new Map(), weightFiles: [], notes: [], ...found };
}

test("8-bit floats with scales are found as BF16", () => {
  const scale = tensor(`${UP}.weight_scale_inv`, "F32", [1, 1]);
  const checkpoint = open(tensor(`${UP}.weight`, "F8_E4M3", [8, 4]), scale);
  const found = new TensorLookup(checkpoint, "model.").find(`${UP}.weight`, [8, 4]);
  expect([found.dtype, found.byteLength, keptFormat(found).name]).toEqual(["BF16", 64, "BF16"]);
});

test("a format that is not read is refused by its name before anything is looked up", () => {
  const packed = ["qweight", "qzeros", "g_idx"].map((last) => tensor(`${UP}.${last}`, "I32", [4]));
  expect(() => measureDecoder(open(...packed))).toThrow("ember: weights in GPTQ are not read");
});
