import { describe, expect, test } from "vitest";
import type { DType } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { type CheckpointTensor, readTensor, roundedTensor, storedCard } from "../checkpoint.ts";
import { parseConfig } from "../config.ts";
import { dequantise } from "./findQuantised.ts";
import { findScaleBlocks } from "./scaleBlocks.ts";

const W = "model.layers.0.mlp.up_proj.weight";
const SCALE = `${W}_scale_inv`;

function tensor(name: string, dtype: DType, shape: readonly number[], bytes?: Uint8Array) {
  const elementCount = shape.reduce((product, axis) => product * axis, 1);
  const size = byteLength(dtype, elementCount);
  const source = bytesInMemory(bytes ?? new Uint8Array(size));
  return { name, dtype, shape, elementCount, byteLength: size, file: "m", source, start: 0 };
}
const mapOf = (...all: readonly CheckpointTensor[]) => new Map(all.map((it) => [it.name, it]));

/** Every code but the NaNs, in an order of its own. */
const codes = (count: number) =>
  Uint8Array.from({ length: count }, (_, i) => ((i * 37) % 127) | (i % 3 === 0 ? 0x80 : 0));
const scaleValues = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => 0.0123 * (i + 1) ** 1.5);

/** The obvious version: every element by its own coordinates. */
function expected(
  bytes: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  scales: Float32Array,
  [counts, sizes]: readonly [readonly number[], readonly number[]],
): Float32Array<ArrayBuffer> {
  return toF32(bytes, dtype).map((value, i) => {
    let rest = i;
    const at = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    const place = at.reduce(
      (sum, x, axis) => sum * counts[axis]! + Math.floor(x / sizes[axis]!),
      0,
    );
    return Math.fround(value * scales[place]!);
  });
}

describe("8-bit floats with scales become the numbers they stand for", () => {
  test.each([
    ["a tensor's", [5, 7], [], [1, 1], [5, 7]],
    ["a tensor's, as one element", [5, 7], [1], [1, 1], [5, 7]],
    ["a row's", [5, 7], [5, 1], [5, 1], [1, 7]],
    ["a row's, without the last axis", [5, 7], [5], [5, 1], [1, 7]],
    ["a block's of 128, the last ones short", [130, 257], [2, 3], [2, 3], [128, 128]],
    ["a block's of 32 along a row", [3, 96], [3, 3], [3, 3], [1, 32]],
    ["an expert's blocks", [3, 130, 140], [3, 2, 2], [3, 2, 2], [1, 128, 128]],
    ["an expert's columns", [2, 4, 6], [2, 1, 6], [2, 1, 6], [1, 4, 1]],
  ] as const)("%s scale", async (_, shape, scaleShape, counts, sizes) => {
    for (const dtype of ["F8_E4M3", "F8_E5M2"] as const) {
      const count = shape.reduce((product: number, axis) => product * axis, 1);
      const scaleCount = scaleShape.reduce((product: number, axis) => product * axis, 1);
      const bytes = dtype === "F8_E4M3" ? codes(count) : codes(count).map((code) => code % 120);
      const scales = scaleValues(scaleCount);
      const weight = tensor(W, dtype, shape, bytes);
      const scale = tensor(SCALE, "F32", scaleShape, new Uint8Array(scales.buffer));
      const { tensors, quantised } = dequantise(mapOf(weight, scale), null);
      expect([...tensors.keys()]).toEqual([W]);
      expect(quantised).toEqual([
        { format: "FP8 with scales", count: 1, example: W, refusal: null },
      ]);
      const read = tensors.get(W)!;
      expect([read.dtype, read.byteLength]).toEqual(["F32", 4 * count]);
      expect(storedCard(read)).toMatchObject({ dtype, byteLength: count });
      const want = expected(bytes, dtype, shape, scales, [counts, sizes]);
      const whole = await readTensor(read, 0, 4 * count);
      expect(toF32(whole, "F32")).toEqual(want);
      const rounded = roundedTensor(read);
      expect(rounded.dtype).toBe("BF16");
      expect(await readTensor(rounded, 0, 2 * count)).toEqual(fromF32(want, "BF16"));
      for (const [start, length] of [
        [0, 0],
        [1, 6],
        [4 * 11, 4 * 9],
        [4 * count - 5, 5],
      ] as const) {
        expect(await readTensor(read, start, length)).toEqual(whole.slice(start, start + length));
      }
    }
  });

  test("scales may be bf16 or powers of two", async () => {
    const bytes = codes(4);
    const powers = Uint8Array.from([127, 120]); // 1 and 2^-7
    for (const [dtype, stored] of [
      ["F8_E8M0", powers],
      ["BF16", fromF32(toF32(powers, "F8_E8M0"), "BF16")],
    ] as const) {
      const scale = tensor(SCALE, dtype, [2, 1], stored);
      const { tensors } = dequantise(mapOf(tensor(W, "F8_E4M3", [2, 2], bytes), scale), null);
      const read = toF32(await readTensor(tensors.get(W)!, 0, 16), "F32");
      expect([...read]).toEqual([...toF32(bytes, "F8_E4M3")].map((x, i) => (i < 2 ? x : x / 128)));
    }
  });

  test("the block that config.json names is taken where it fits, else the one the shapes tell", () => {
    expect(findScaleBlocks([200, 64], [4, 1], [64, 64])?.size).toEqual([64, 64]);
    expect(findScaleBlocks([200, 64], [4, 1], [100, 64])?.size).toEqual([50, 64]);
    expect(findScaleBlocks([130, 257], [7, 3])).toBeNull();
    expect(findScaleBlocks([4, 4], [8, 4])).toBeNull();
    expect(findScaleBlocks([4], [2, 2])).toBeNull();
  });

  test.each(["weight_scale", "weight_scale_inv", "scale_weight", "qscale_weight"])(
    "by the name %s, and the scales of activations go too",
    (spelling) => {
      const stem = W.slice(0, -"weight".length);
      const all = mapOf(
        tensor(W, "F8_E4M3", [2, 2]),
        tensor(`${stem}${spelling}`, "F32", [1]),
        tensor(`${stem}input_scale`, "F32", []),
        tensor("model.layers.0.self_attn.k_proj.k_scale", "F32", []),
        tensor("scaled_fp8", "F8_E4M3", [0]),
        tensor("logit_scale", "F32", []),
      );
      expect([...dequantise(all, null).tensors.keys()]).toEqual([W, "logit_scale"]);
    },
  );
});

const GPTQ = ["qweight", "qzeros", "scales", "g_idx"];
test.each<[string, readonly (readonly [string, DType])[], string, object?]>([
  ["GPTQ", GPTQ.map((it) => [it, it === "scales" ? "F16" : "I32"] as const), "GPTQ"],
  [
    "AWQ",
    GPTQ.slice(0, 3).map((it) => [it, it === "scales" ? "F16" : "I32"] as const),
    "AWQ",
    { quant_method: "awq" },
  ],
  [
    "bitsandbytes 4-bit",
    [
      ["weight", "U8"],
      ["weight.absmax", "F32"],
      ["weight.quant_map", "F32"],
    ],
    "bitsandbytes",
  ],
  [
    "bitsandbytes 8-bit",
    [
      ["weight", "I8"],
      ["SCB", "F32"],
      ["weight_format", "U8"],
    ],
    "bitsandbytes",
  ],
  [
    "packed",
    [
      ["weight_packed", "I32"],
      ["weight_scale", "BF16"],
      ["weight_shape", "I64"],
    ],
    "compressed-tensors",
  ],
  [
    "NVFP4",
    [
      ["weight", "U8"],
      ["weight_scale", "F8_E4M3"],
      ["weight_scale_2", "F32"],
    ],
    "NVFP4",
  ],
  [
    "MLX",
    [
      ["weight", "U32"],
      ["scales", "F16"],
      ["biases", "F16"],
    ],
    "MLX",
  ],
  [
    "int8 with scales",
    [
      ["weight", "I8"],
      ["weight_scale", "F32"],
    ],
    "I8 codes with scales",
  ],
  ["int8 alone", [["weight", "I8"]], "I8 codes without scales"],
  [
    "FP8 with zero points",
    [
      ["weight", "F8_E4M3"],
      ["weight_scale", "F32"],
      ["weight_zero_point", "F8_E4M3"],
    ],
    "FP8 with scales of several kinds or zero points",
  ],
  [
    "FP8 whose scale is lost",
    [["weight", "F8_E4M3"]],
    "FP8 without its scales",
    { quant_method: "fp8" },
  ],
  [
    "an unmerged adapter",
    [
      ["base_layer.weight", "BF16"],
      ["lora_A.default.weight", "F32"],
    ],
    "adapter",
  ],
])("%s is refused by its name and stays as it is stored", (_, parts, format, settings) => {
  const stem = "model.layers.0.mlp.up_proj.";
  const all = mapOf(...parts.map(([last, dtype]) => tensor(stem + last, dtype, [4, 4])));
  const text = JSON.stringify(settings ? { quantization_config: settings } : {});
  const { tensors, quantised } = dequantise(all, parseConfig(text, "config.json"));
  expect([...tensors.keys()]).toEqual([...all.keys()]);
  expect(quantised).toEqual([
    { format, count: 1, example: `${stem}weight`, refusal: expect.stringMatching(/Take|Merge/) },
  ]);
});

test("plain weights are left alone: 8-bit floats that nobody scaled, buffers, flags", () => {
  const all = mapOf(
    tensor(W, "F8_E4M3", [2, 2]),
    tensor("model.embed_tokens.weight", "BF16", [4, 2]),
    tensor("transformer.h.0.attn.bias", "U8", [1, 1, 4, 4]),
    tensor("embeddings.position_ids", "I64", [1, 8]),
    tensor("logit_scale", "F32", []),
  );
  expect(dequantise(all, null)).toEqual({ tensors: all, quantised: [] });
});
