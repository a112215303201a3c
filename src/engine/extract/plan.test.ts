import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { parseConfig } from "../checkpoint/config.ts";
import { EXTRACTION_DEFAULTS, type ExtractionSettings } from "../contract/index.ts";
import { checkpointOf } from "../merge/testCheckpoints.ts";
import { planExtraction } from "./plan.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

const SHAPES: Shapes = {
  "model.embed_tokens.weight": [10, 4],
  "model.layers.0.self_attn.q_proj.weight": [4, 4],
  "model.layers.0.self_attn.q_proj.bias": [4],
  "model.layers.0.input_layernorm.weight": [4],
  "model.norm.weight": [4],
  "lm_head.weight": [10, 4],
};

function made(name: string, shapes: Shapes = SHAPES, config = "{}"): Checkpoint {
  const tensors = Object.entries(shapes).map(([tensor, shape]) => {
    const count = shape.reduce((product, axis) => product * axis, 1);
    return [tensor, { shape, values: new Float32Array(count) }] as const;
  });
  return {
    ...checkpointOf(name, Object.fromEntries(tensors)),
    config: parseConfig(config, "config.json"),
  };
}

function without(shapes: Shapes, ...names: readonly string[]): Shapes {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));
}

/** Items of a plan as `kind module`. */
function said(base: Checkpoint, model: Checkpoint, settings: Partial<ExtractionSettings> = {}) {
  const { items } = planExtraction(base, model, { ...EXTRACTION_DEFAULTS, ...settings });
  return items.map((item) => `${item.kind === "factors" ? item.as : item.kind} ${item.module}`);
}

const [EMBED, Q, LAYER_NORM, NORM, HEAD] = [
  "model.embed_tokens",
  "model.layers.0.self_attn.q_proj",
  "model.layers.0.input_layernorm",
  "model.norm",
  "lm_head",
];

test("matrices become factors, embeddings, heads and norms are saved whole", () => {
  expect(said(made("base"), made("tuned"))).toEqual([
    `whole ${EMBED}`,
    `linear ${Q}`,
    `bias ${Q}`,
    `whole ${LAYER_NORM}`,
    `whole ${NORM}`,
    `whole ${HEAD}`,
  ]);
});

test("embeddings become factors or are left out, and so are others", () => {
  const settings = { embeddings: "lora", others: "skip" } as const;
  expect(said(made("base"), made("tuned"), settings)).toEqual([
    `embedding ${EMBED}`,
    `linear ${Q}`,
    `linear ${HEAD}`,
  ]);
  expect(said(made("base"), made("tuned"), { embeddings: "skip", others: "skip" })).toEqual([
    `linear ${Q}`,
  ]);
});

test("parts of names choose modules", () => {
  expect(said(made("base"), made("tuned"), { include: "q_proj, norm" })).toEqual([
    `linear ${Q}`,
    `bias ${Q}`,
    `whole ${LAYER_NORM}`,
    `whole ${NORM}`,
  ]);
  expect(said(made("base"), made("tuned"), { exclude: "norm,lm_head,embed" })).toEqual([
    `linear ${Q}`,
    `bias ${Q}`,
  ]);
});

test("Conv1D is told by the model's type", () => {
  const shapes = {
    "transformer.h.0.attn.c_attn.weight": [4, 12],
    "transformer.wte.weight": [9, 4],
  };
  const [base, tuned] = ["gpt2", "gpt_bigcode"].map((type) => `{"model_type": "${type}"}`);
  expect(said(made("base", shapes, base), made("tuned", shapes, base))[0]).toBe(
    "conv1d transformer.h.0.attn.c_attn",
  );
  expect(said(made("base", shapes, tuned), made("tuned", shapes, tuned))[0]).toBe(
    "linear transformer.h.0.attn.c_attn",
  );
});

describe("heads", () => {
  const tied = without(SHAPES, "lm_head.weight");
  const config = '{"tie_word_embeddings": true}';

  test("that are tied in both are saved beside the embedding, also where factors were asked for", () => {
    const plan = planExtraction(made("base", tied, config), made("tuned", tied, config), {
      ...EXTRACTION_DEFAULTS,
      embeddings: "lora",
    });
    const whole = plan.items.filter(({ kind }) => kind === "whole").map(({ module }) => module);
    expect(whole).toContain(EMBED);
    expect(whole).toContain(HEAD);
    expect(plan.notes.join()).toContain("tied");
  });

  test("that one of the two has are compared with the other's embedding", () => {
    expect(said(made("base", tied, config), made("tuned"))).toContain(`whole ${HEAD}`);
    expect(said(made("base"), made("tuned", tied, config))).toContain(`whole ${HEAD}`);
  });
});

test("a larger vocabulary is saved whole, with a note", () => {
  const longer = { ...SHAPES, "model.embed_tokens.weight": [12, 4], "lm_head.weight": [12, 4] };
  const plan = planExtraction(made("base"), made("tuned", longer), {
    ...EXTRACTION_DEFAULTS,
    embeddings: "lora",
  });
  expect(plan.otherVocabulary).toBe(true);
  expect(plan.items[0]).toMatchObject({ kind: "whole", module: EMBED });
  expect(plan.notes.join()).toContain("Resize");
});

test("names of another layout of the same model are the base's", () => {
  const bare = Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [name.replace(/^model\./, ""), shape]),
  );
  expect(said(made("base"), made("tuned", bare))).toContain(`linear ${Q}`);
});

test.each([
  ["a tensor that one lacks", without(SHAPES, "model.norm.weight")],
  ["another shape", { ...SHAPES, "model.layers.0.self_attn.q_proj.weight": [8, 4] }],
])("%s is refused", (_, shapes) => {
  const plan = () => planExtraction(made("base"), made("tuned", shapes), EXTRACTION_DEFAULTS);
  expect(plan).toThrow(expect.objectContaining({ code: "mismatch" }));
});
