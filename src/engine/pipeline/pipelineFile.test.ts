import { expect, test } from "vitest";
import { EngineError, FUSION_DEFAULTS, TRAINING_DEFAULTS } from "../contract/index.ts";
import { parsePipeline } from "./pipelineFile.ts";

const LEAST = "pivot: ./p\nsources: [./a, ./b]\ndata: ./t.jsonl\n";

test("pivot, sources and data are enough", () => {
  const file = parsePipeline(LEAST);
  expect(file).toMatchObject({
    name: "fused",
    pivot: "./p",
    sources: ["./a", "./b"],
    data: ["./t.jsonl"],
    plain: true,
    fusion: FUSION_DEFAULTS.studio,
    training: TRAINING_DEFAULTS.studio,
    evaluationTokens: 2048,
  });
  expect(file.merges.map(({ name }) => name)).toEqual([
    "linear",
    "slerp",
    "task-arithmetic",
    "ties",
    "dare",
    "sce",
    ...["model", "layer", "module", "matrix", "parameter"].map((name) => `varm-${name}`),
  ]);
});

test("what is stated changes the profile", () => {
  const file = parsePipeline(`${LEAST}profile: fusechat-v2
fuse: {rows: 7, max_tokens: 64, bf16: false}
train: {steps: 24, batch_tokens: 256, modules: [q, v], mode: lora}
plain: false
merges: [varm-matrix, {name: mine, method: ties, per_model: {weight: 1, density: 0.3}}]
evaluation_tokens: 99
`);
  expect(file.fusion).toEqual({
    ...FUSION_DEFAULTS["fusechat-v2"],
    rows: 7,
    maxTokens: 64,
    bf16: false,
  });
  expect(file.training).toMatchObject({ steps: 24, batchTokens: 256, modules: ["q", "v"] });
  expect(file.training.learningRate).toBe(TRAINING_DEFAULTS["fusechat-v2"].learningRate);
  expect(file.merges).toEqual([
    { name: "varm-matrix", method: "varm", parameters: { granularity: "matrix" }, perModel: {} },
    { name: "mine", method: "ties", parameters: {}, perModel: { weight: 1, density: 0.3 } },
  ]);
});

test.each([
  ["no YAML", "pivot: [", undefined],
  ["a list", "- a", ""],
  ["no pivot", "sources: [a]\ndata: b", "pivot"],
  ["no sources", "pivot: a\ndata: b\nsources: []", "sources"],
  ["an unknown key", `${LEAST}tarin: {}`, "tarin"],
  ["an unknown profile", `${LEAST}profile: best`, "profile"],
  ["an unknown setting", `${LEAST}train: {step: 3}`, "train.step"],
  ["a word for a number", `${LEAST}train: {rank: many}`, "train.rank"],
  ["a wrong choice", `${LEAST}fuse: {fusion: best}`, "fuse.fusion"],
  ["a module that is none", `${LEAST}train: {modules: [x]}`, "train.modules"],
  ["an unknown merge", `${LEAST}merges: [liner]`, "merges"],
  ["an unknown method", `${LEAST}merges: [{method: x}]`, "merges.method"],
  [
    "an unknown key of a filter",
    `${LEAST}merges: [{method: ties, per_model: {weight: {valeu: 1, value: 2}}}]`,
    "merges.per_model.valeu",
  ],
  ["half a token", `${LEAST}evaluation_tokens: 0.5`, "evaluation_tokens"],
])("%s is refused by name", (_, text, key) => {
  try {
    parsePipeline(text);
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "bad-recipe" });
    const { details } = error as EngineError;
    expect(details.key).toBe(key);
    expect([typeof details.line, typeof details.column]).toEqual(["number", "number"]);
    return;
  }
  expect.unreachable();
});

test("a wrong value is found where it stands", () => {
  expect(() => parsePipeline(`${LEAST}train:\n  steps: 5\n  rank: many\n`)).toThrow(
    'Line 6, column 9: "train.rank" must be a whole number from 1 to 1024.',
  );
});

test("values may be shared through anchors and merge keys", () => {
  const file = parsePipeline(`${LEAST}merges:
- {name: a, method: ties, per_model: &thin {weight: 1, density: 0.3}}
- {name: b, method: ties, per_model: {<<: *thin, density: 0.5}}
`);
  expect(file.merges.map(({ perModel }) => perModel)).toEqual([
    { weight: 1, density: 0.3 },
    { weight: 1, density: 0.5 },
  ]);
});
