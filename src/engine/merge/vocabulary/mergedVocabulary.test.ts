import { expect, test } from "vitest";
import { type Checkpoint, readTensor } from "../../checkpoint/checkpoint.ts";
import type { Recipe, RecipeTokenizer } from "../../contract/index.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { checkpointOf } from "../testCheckpoints.ts";
import { inVocabulary } from "./chooseRows.ts";
import { mergeVocabularies } from "./mergedVocabulary.ts";
import { tokenizerOf, withFiles } from "./testTokenizers.ts";

const EMBEDDING = "model.embed_tokens.weight";
const HIDDEN = 2;

/** A model whose token `t` has the row [place of t, number of the model], and spare rows behind. */
function model(number: number, tokens: readonly string[], added: readonly string[], spare = 0) {
  const rows = tokens.length + added.length + spare;
  const values = Float32Array.from({ length: rows * HIDDEN }, (_, i) =>
    i % HIDDEN === 0 ? Math.floor(i / HIDDEN) : number,
  );
  const name = `model${number}`;
  const weights = checkpointOf(name, { [EMBEDDING]: { shape: [rows, HIDDEN], values } });
  return withFiles(weights, { "tokenizer.json": tokenizerOf(tokens, added) });
}

// The tokenizers of mergekit's golden cases.
const BASE = model(0, ["<unk>", "aa", "bb", "cc", "dd"], ["<|s|>"]);
const X = model(1, ["<unk>", "bb", "aa", "cc", "ee", "ff"], ["<|im|>"]);
const Y = model(2, ["<unk>", "cc", "gg", "aa"], ["<|im|>", "<|end|>"]);
const PAD = model(3, ["<unk>", "aa", "bb", "cc", "dd", "zz", "yy"], [], 3);

async function merge(
  tokenizer: RecipeTokenizer,
  models: Readonly<Record<string, Checkpoint>>,
  base?: string,
) {
  const recipe: Recipe = {
    method: "linear",
    ...(base !== undefined && { base }),
    models: Object.keys(models).map((name) => ({ model: name, parameters: {} })),
    parameters: {},
    tokenizer,
  };
  const open = async (name: string) => {
    if (name === "stranger") return PAD;
    throw new Error(`no ${name}`);
  };
  const { merged, findings } = await mergeVocabularies(
    recipe,
    new Map(Object.entries(models)),
    open,
  );
  const inputs = Object.entries(models).map(([name, checkpoint]) => ({ model: name, checkpoint }));
  const views = inVocabulary(merged, inputs, base, undefined);
  const rows = await Promise.all(
    views.map(async ({ tensors }) => {
      const tensor = tensors.get(EMBEDDING)!;
      const values = toF32(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
      return Array.from({ length: values.length / HIDDEN }, (_, i) =>
        [...values.slice(HIDDEN * i, HIDDEN * (i + 1))].join(" "),
      );
    }),
  );
  return { merged, findings, views, rows, tokens: [...merged.vocabulary.ids.keys()] };
}

test("a union keeps the base's ids, then ordinary tokens, then added ones", async () => {
  const { merged, tokens, rows } = await merge(
    { source: "union" },
    { base: BASE, x: X, y: Y },
    "base",
  );
  expect(tokens).toEqual([
    "<unk>",
    "aa",
    "bb",
    "cc",
    "dd",
    "<|s|>",
    "ee",
    "ff",
    "gg",
    "<|im|>",
    "<|end|>",
  ]);
  expect([...merged.vocabulary.ids.values()]).toEqual([...tokens.keys()]);
  expect([merged.unchanged, merged.rows, merged.donor]).toEqual([false, 11, BASE]);
  // The golden case tokenizer/union_base: own rows, else the base's, the only owner's, or a mean.
  const mean = "5 1.5"; // of <|im|> in x, [6, 1], and in y, [4, 2]
  expect(rows[0]).toEqual([
    "0 0",
    "1 0",
    "2 0",
    "3 0",
    "4 0",
    "5 0",
    "4 1",
    "5 1",
    "2 2",
    mean,
    "5 2",
  ]);
  expect(rows[1]).toEqual([
    "0 1",
    "2 1",
    "1 1",
    "3 1",
    "4 0",
    "5 0",
    "4 1",
    "5 1",
    "2 2",
    "6 1",
    "5 2",
  ]);
  expect(rows[2]).toEqual([
    "0 2",
    "3 2",
    "2 0",
    "1 2",
    "4 0",
    "5 0",
    "4 1",
    "5 1",
    "2 2",
    "4 2",
    "5 2",
  ]);
});

test("without a base, tokens that some but not all models have are averaged", async () => {
  const { tokens, rows } = await merge({ source: "union" }, { x: X, base: BASE, y: Y });
  expect(tokens.slice(0, 6)).toEqual(["<unk>", "bb", "aa", "cc", "ee", "ff"]);
  // bb in x, [1, 1], and in the base, [2, 0].
  expect([rows[0]![1], rows[1]![1], rows[2]![1]]).toEqual(["1 1", "2 0", "1.5 0.5"]);
});

test("the base's tokenizer, or a model's, leaves the others' tokens out", async () => {
  const base = await merge({ source: "base" }, { base: BASE, x: X, y: Y }, "base");
  expect(base.views[0]).toBe(BASE);
  expect(base.rows[2]).toEqual(["0 2", "3 2", "2 0", "1 2", "4 0", "5 0"]);
  const y = await merge({ source: "y" }, { base: BASE, x: X, y: Y }, "base");
  expect([y.merged.donor, y.merged.unchanged]).toEqual([Y, true]);
  expect(y.rows[0]).toEqual(["0 0", "3 0", "2 2", "1 0", "5 1.5", "5 2"]);
  const stranger = await merge({ source: "stranger" }, { base: BASE, x: X }, "base");
  expect([...stranger.merged.models.keys()]).toEqual(["base", "x"]);
  expect(stranger.rows[1]!.slice(4)).toEqual(["4 0", "0 0", "0 0"]);
});

test("the same vocabulary costs nothing, and rows behind it are dropped", async () => {
  const twin = { ...BASE, name: "twin" };
  const same = await merge({ source: "union" }, { base: BASE, twin }, "base");
  expect(same.views).toEqual([BASE, twin]);
  expect(same.views[1]).toBe(twin);
  expect(same.merged.unchanged).toBe(true);
  const padded = await merge({ source: "union" }, { base: BASE, pad: PAD }, "base");
  expect(padded.tokens.length).toBe(8);
  expect(padded.rows[1]).toEqual(["0 3", "1 3", "2 3", "3 3", "4 3", "5 0", "5 3", "6 3"]);
});

test("padding is the mean of the rows that stand for tokens", async () => {
  const { rows } = await merge(
    { source: "union", padToMultipleOf: 8 },
    { base: BASE, x: X },
    "base",
  );
  expect(rows[0]!.length).toBe(16);
  const [sum, from] = [0 + 1 + 2 + 3 + 4 + 5 + 4 + 5 + 6, 3];
  expect(rows[0]![15]).toBe(`${Math.fround(sum / 9)} ${Math.fround(from / 9)}`);
});

test("single tokens have sources of their own", async () => {
  const tokens: RecipeTokenizer["tokens"] = [
    { token: "<|im|>", source: { kind: "model", model: "y" } },
    { token: "<|s|>", source: { kind: "zero" }, force: true },
    { token: "<new>", source: { kind: "token", model: "x", token: "ee" } },
    { token: "gg", source: { kind: "token", model: "base", token: 2 }, force: true },
  ];
  const found = await merge({ source: "union", tokens }, { base: BASE, x: X, y: Y }, "base");
  expect(found.tokens.at(-1)).toBe("<new>");
  const at = (token: string) => found.rows.map((rows) => rows[found.tokens.indexOf(token)]);
  expect(at("<|im|>")).toEqual(["4 2", "6 1", "4 2"]);
  expect(at("<|s|>")).toEqual(["0 0", "0 0", "0 0"]);
  expect(at("<new>")).toEqual(["4 1", "4 1", "4 1"]);
  expect(at("gg")).toEqual(["2 0", "2 0", "2 0"]);
  // It has no row of its own anywhere, and no source.
  const none = await merge({ source: "union", tokens: [{ token: "<t>" }] }, { base: BASE, x: X });
  expect(none.rows[0]!.at(-1)).toBe("0 0");
});

test.each([
  ["a source without the token", { kind: "model", model: "base" }, false, "no row for it"],
  ["a source that is not merged", { kind: "model", model: "z" }, false, "not among the models"],
  ["an unknown token of it", { kind: "token", model: "x", token: "?" }, true, "no row for ?"],
  ["force without a source", undefined, true, '"force" needs'],
] as const)("%s is refused", async (_, source, force, words) => {
  const token = {
    token: "<|im|>",
    ...(source && { source }),
    ...(force && { force: true as const }),
  };
  const merging = merge({ source: "union", tokens: [token] }, { base: BASE, x: X }, "base");
  await expect(merging).rejects.toThrow(words);
});

test("tokens without a row in their model are none, named special tokens come back", async () => {
  const tokens = ["<unk>", "aa", "bb"];
  const fields = { vocab_size: 3 };
  const weights = checkpointOf("cut", {
    [EMBEDDING]: { shape: [3, HIDDEN], values: new Float32Array(6) },
  });
  const cut = withFiles(
    {
      ...weights,
      config: {
        text: JSON.stringify(fields),
        architecture: null,
        modelType: null,
        layers: null,
        vocabSize: 3,
        hiddenSize: HIDDEN,
        tied: false,
        fields,
      },
    },
    {
      "tokenizer.json": tokenizerOf(tokens, ["<tool>", "<pad>"]),
      "tokenizer_config.json": { pad_token: "<pad>", sep_token: "<sep>" },
    },
  );
  const union = await merge({ source: "union" }, { cut, x: X }, "cut");
  // As mergekit: `<tool>` is gone, special tokens that the files name are added anew, without a row.
  expect(union.tokens.slice(0, 6)).toEqual(["<unk>", "aa", "bb", "<sep>", "<pad>", "cc"]);
  expect(union.rows[1]!.slice(3, 5)).toEqual(["0 0", "0 0"]);
  const base = await merge({ source: "base" }, { cut, x: X }, "cut");
  expect(base.tokens).toEqual(tokens);
  expect(base.merged.unchanged).toBe(false);
});

test("a model without a tokenizer is taken to have the base's", async () => {
  const bare = { ...X, files: new Map() };
  const { rows, findings } = await merge({ source: "union" }, { base: BASE, bare }, "base");
  expect(rows[1]).toEqual(["0 1", "1 1", "2 1", "3 1", "4 1", "5 1"]);
  expect(findings.map(({ model }) => model)).toEqual(["bare"]);
  await expect(merge({ source: "union" }, { bare, x: X })).rejects.toThrow("tokenizer.json");
});
