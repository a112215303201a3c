import { describe, expect, test } from "vitest";
import { parseConfig } from "../../checkpoint/config.ts";
import { EngineError } from "../../contract/index.ts";
import { describeDecoder, listArchitectures } from "./architecture.ts";
import { ropeFrequencies, ropeTable } from "./rope.ts";
import type { RopeSpec } from "./spec.ts";

const LLAMA = {
  model_type: "llama",
  vocab_size: 100,
  hidden_size: 48,
  intermediate_size: 80,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};
const describeFields = (fields: object) =>
  describeDecoder(parseConfig(JSON.stringify(fields), "config.json"), "it");
const llama = (changes: object) => describeFields({ ...LLAMA, ...changes });

function failure(work: () => unknown): EngineError {
  try {
    work();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("the architectures that were promised are there", () => {
  const promised = [
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_neox",
    "llama",
    "mistral",
    "phi3",
    "qwen2",
    "qwen3",
  ];
  expect(listArchitectures()).toEqual(expect.arrayContaining(promised));
});

test("what cannot be run is named, with what can", () => {
  const { code, message } = failure(() => llama({ model_type: "rwkv" }));
  expect(code).toBe("unsupported-architecture");
  expect(message).toContain("rwkv");
  expect(message).toContain("qwen3");
});

test("what config.json says of a quantisation decides nothing: the weights themselves do", () => {
  const quantised = { quantization_config: { quant_method: "fp8", fmt: "e4m3" } };
  expect(llama(quantised)).toEqual(llama({}));
});

test("a checkpoint without config.json is refused", () => {
  expect(failure(() => describeDecoder(null, "it")).code).toBe("missing-file");
});

describe("a config.json that would break the kernels is refused by field:", () => {
  test.each([
    ["no vocabulary", { vocab_size: 0 }, "vocab_size"],
    ["a size that is no number", { hidden_size: "48" }, "hidden_size"],
    ["a fractional size", { intermediate_size: 80.5 }, "intermediate_size"],
    ["a size beyond all models", { intermediate_size: 2 ** 40 }, "intermediate_size"],
    ["a head for the moon", { head_dim: 4096 }, "head_dim"],
    ["ten thousand layers", { num_hidden_layers: 10_000 }, "num_hidden_layers"],
    ["a negative epsilon", { rms_norm_eps: -1 }, "rms_norm_eps"],
    ["a flag that is a word", { attention_bias: "yes" }, "attention_bias"],
    ["a rope that is a word", { rope_scaling: "linear" }, "rope_scaling"],
    ["a rope scaled by nothing", { rope_scaling: { type: "linear" } }, "factor"],
    [
      "a longrope of too few pairs",
      { rope_scaling: { type: "longrope", short_factor: [1] } },
      "short_factor",
    ],
    ["a rope scaled by zero", { rope_scaling: { type: "linear", factor: 0 } }, "factor"],
  ])("%s", (_, changes, key) => {
    const { code, details } = failure(() => llama(changes));
    expect([code, details.key]).toEqual(["bad-config", key]);
  });

  test("key heads that do not divide the heads", () => {
    expect(failure(() => llama({ num_key_value_heads: 4 })).code).toBe("bad-config");
  });
  test("heads that do not divide the width", () => {
    expect(failure(() => llama({ num_attention_heads: 7, num_key_value_heads: 7 })).code).toBe(
      "bad-config",
    );
  });
  test.each([
    ["an activation", { hidden_act: "swiglu" }],
    ["a rope scaling", { rope_scaling: { rope_type: "dynamic", factor: 2 } }],
    ["an inherited name", { hidden_act: "constructor" }],
  ])("%s nobody built", (_, changes) => {
    expect(failure(() => llama(changes)).code).toBe("unsupported-architecture");
  });
  test("a kind of layer nobody built", () => {
    const layer_types = ["full_attention", "linear_attention", "full_attention"];
    expect(failure(() => llama({ model_type: "qwen3", layer_types })).code).toBe(
      "unsupported-architecture",
    );
  });
});

describe("both spellings of transformers mean the same:", () => {
  test.each([
    [
      { rope_theta: 5e5, rope_scaling: { type: "linear", factor: 4 } },
      { rope_parameters: { rope_theta: 5e5, rope_type: "linear", factor: 4 } },
    ],
    [
      { rope_theta: 5e5, rope_scaling: null },
      { rope_parameters: { rope_theta: 5e5, rope_type: "default" } },
    ],
    [{ hidden_act: "silu", rope_theta: 1e4 }, {}],
  ])("%j", (four, five) => {
    expect(llama(four)).toEqual(llama(five));
  });

  test("where both are there, transformers 5 takes that of 4, unless it is empty", () => {
    const rope_parameters = { rope_theta: 5e5, rope_type: "linear", factor: 4 };
    const rope_scaling = { type: "linear", factor: 2 };
    expect(llama({ rope_parameters, rope_scaling })).toEqual(llama({ rope_scaling }));
    expect(llama({ rope_parameters, rope_scaling: {} })).toEqual(llama({ rope_parameters }));
  });

  test("a part of a head is turned only where the architecture has one", () => {
    expect(llama({ partial_rotary_factor: 0.5 })).toEqual(llama({}));
  });

  test("GPT-NeoX's part of a head that is rotated", () => {
    const neox = { ...LLAMA, model_type: "gpt_neox", num_key_value_heads: null };
    const four = describeFields({ ...neox, rotary_pct: 0.5, rotary_emb_base: 500 });
    const rope_parameters = { rope_theta: 500, partial_rotary_factor: 0.5 };
    expect(four).toEqual(describeFields({ ...neox, rope_parameters }));
    expect(four.layers[0]?.attention.rope).toMatchObject({ theta: 500, dims: 4, pairs: 2 });
  });
});

test("Qwen2 slides over its upper layers only when told to", () => {
  const qwen = { model_type: "qwen2", sliding_window: 16, max_window_layers: 1 };
  const windows = (changes: object) =>
    llama({ ...qwen, ...changes }).layers.map(({ attention }) => attention.window);
  expect(windows({})).toEqual([null, null, null]);
  expect(windows({ use_sliding_window: true })).toEqual([null, 16, 16]);
  const layer_types = ["sliding_attention", "full_attention", "full_attention"];
  expect(windows({ use_sliding_window: true, layer_types })).toEqual([16, null, null]);
});

test("where config.json is silent, transformers' own defaults hold; null is an answer", () => {
  const gemma = (changes: object) => llama({ model_type: "gemma2", ...changes });
  expect(gemma({}).layers[0]?.attention).toMatchObject({ headDim: 256, softcap: 50 });
  expect(gemma({}).layers[0]?.mlp.activation).toBe("gelu_tanh");
  expect(gemma({}).head.softcap).toBe(30);
  expect(gemma({ attn_logit_softcapping: null }).layers[0]?.attention.softcap).toBeNull();
  const windows = (changes: object) =>
    llama({ model_type: "mistral", ...changes }).layers.map(({ attention }) => attention.window);
  expect(windows({})).toEqual([4096, 4096, 4096]);
  expect(windows({ sliding_window: null })).toEqual([null, null, null]);
});

test("Gemma 2 slides over every other layer, the first included", () => {
  const { layers } = llama({ model_type: "gemma2", sliding_window: 16 });
  expect(layers.map(({ attention }) => attention.window)).toEqual([16, null, 16]);
});

describe("Gemma 3", () => {
  const gemma = (changes: object) =>
    llama({ model_type: "gemma3_text", num_hidden_layers: 6, sliding_window: 16, ...changes });
  const thetas = (changes: object) =>
    gemma(changes).layers.map(({ attention }) => attention.rope?.theta);

  test("sees windows in five layers of six, which rotate by a rope of their own", () => {
    const { layers } = gemma({});
    expect(layers.map(({ attention }) => attention.window)).toEqual([16, 16, 16, 16, 16, null]);
    expect(thetas({})).toEqual([1e4, 1e4, 1e4, 1e4, 1e4, 1e6]);
    // One table of angles each, however many layers there are.
    expect(new Set(layers.map(({ attention }) => attention.rope)).size).toBe(2);
  });

  test("is read alike in the spellings of transformers 4 and 5", () => {
    const scaling = { rope_type: "linear", factor: 8 };
    const four = gemma({
      rope_theta: 5e5,
      rope_local_base_freq: 700,
      rope_scaling: scaling,
      sliding_window_pattern: 3,
    });
    const five = gemma({
      rope_parameters: {
        full_attention: { rope_theta: 5e5, ...scaling },
        sliding_attention: { rope_theta: 700, rope_type: "default" },
      },
      layer_types: [0, 1].flatMap(() => [
        "sliding_attention",
        "sliding_attention",
        "full_attention",
      ]),
    });
    expect(four).toEqual(five);
    expect(four.layers[2]?.attention).toMatchObject({ window: null, rope: { theta: 5e5 } });
    expect(four.layers[0]?.attention.rope?.scaling).toEqual({ kind: "none" });
  });

  test("that encodes texts in both directions is refused", () => {
    expect(failure(() => gemma({ use_bidirectional_attention: true })).code).toBe(
      "unsupported-architecture",
    );
  });
});

const ROPE: RopeSpec = { theta: 10_000, dims: 8, pairs: 4, scaling: { kind: "none" } };

describe("rotary frequencies", () => {
  test("fall from 1 to theta^-(1 - 2/dims)", () => {
    const { frequencies } = ropeFrequencies(ROPE, 0);
    const want = [1, 0.1, 0.01, 0.001];
    want.forEach((f, j) => {
      expect(Math.abs(frequencies[j]! / f - 1)).toBeLessThanOrEqual(1e-6);
    });
  });

  test("under llama3 stay where waves are short, are divided where long, and pass over between", () => {
    const scaling = {
      kind: "llama3",
      factor: 8,
      originalContext: 512,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
    } as const;
    const ratio = (j: number) =>
      ropeFrequencies({ ...ROPE, scaling }, 0).frequencies[j]! /
      ropeFrequencies(ROPE, 0).frequencies[j]!;
    expect(ratio(0)).toBe(1); // a wave of 6 tokens
    expect(ratio(1)).toBe(1); // 63
    expect(Math.abs(ratio(3) - 1 / 8)).toBeLessThanOrEqual(1e-6); // 6283
    // 628 is longer than 512; at 3000 tokens it lies between 750 and 3000.
    const wider = { ...scaling, originalContext: 2000 };
    const between =
      ropeFrequencies({ ...ROPE, scaling: wider }, 0).frequencies[2]! /
      ropeFrequencies(ROPE, 0).frequencies[2]!;
    const smooth = (2000 / (2 * Math.PI * 100) - 1) / 3;
    expect(Math.abs(between - ((1 - smooth) / 8 + smooth))).toBeLessThanOrEqual(1e-6);
  });

  test("go on from any position as if the table had been made from the start", () => {
    const frequencies = ropeFrequencies(ROPE, 0);
    const whole = ropeTable(frequencies, 0, 10);
    expect(ropeTable(frequencies, 7, 3)).toEqual(whole.slice(7 * 8));
  });
});
