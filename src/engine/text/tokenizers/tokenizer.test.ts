import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { lettersToBytes } from "./byteLetters.ts";
import { openTokenizer, type TextTokenizer } from "./tokenizer.ts";

const UTF8 = new TextEncoder();

/** Every byte's letter, and a few merged tokens. */
function byteVocabulary(...merged: readonly string[]): Record<string, number> {
  const letters = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code));
  const bytes = letters.filter((letter) => lettersToBytes(letter).length === 1);
  return Object.fromEntries([...bytes, ...merged].map((token, id) => [token, id]));
}

const VOCABULARY = byteVocabulary("he", "ll", "hell", "hello", "Ġh");
const BASE = {
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  post_processor: null,
  decoder: { type: "ByteLevel" },
  model: {
    type: "BPE",
    vocab: VOCABULARY,
    merges: ["h e", "l l", "he ll", "hell o"],
  },
  added_tokens: [
    { id: 300, content: "<s>", special: true },
    { id: 301, content: "</s>", special: true },
    { id: 302, content: "<pad>", special: true },
  ],
};

function filesOf(tokenizer: unknown, others: Readonly<Record<string, unknown>> = {}): FileTree {
  const all = Object.entries({ "tokenizer.json": tokenizer, ...others });
  return new Map(
    all.map(([path, value]) => [path, bytesInMemory(UTF8.encode(JSON.stringify(value)))]),
  );
}

async function open(change: object = {}, others: Readonly<Record<string, unknown>> = {}) {
  return (await openTokenizer(filesOf({ ...BASE, ...change }, others))) as TextTokenizer;
}

test("a folder without tokenizer.json has no tokenizer", async () => {
  expect(await openTokenizer(new Map())).toBeNull();
});

test("where no file names a role, as for the first GPT-2, the model's own ids stand in", async () => {
  const model = { "config.json": { bos_token_id: 300, eos_token_id: 301 } };
  const bare = await open({}, { ...model, "tokenizer_config.json": { model_max_length: 1024 } });
  expect([bare.bosId, bare.eosId]).toEqual([300, 301]);
  const none = await open({}, { ...model, "tokenizer_config.json": { bos_token: null } });
  expect([none.bosId, none.eosId]).toEqual([null, 301]);
});

test("roles come from the files that name them, in their order", async () => {
  const tokenizer = await open(
    {},
    {
      "tokenizer_config.json": { bos_token: "<s>", eos_token: { content: "</s>" } },
      "special_tokens_map.json": { bos_token: "</s>", pad_token: "<pad>" },
      "generation_config.json": { eos_token_id: [7, 301, -1, "x"] },
      "config.json": { eos_token_id: 9 },
    },
  );
  const { bosId, eosId, padId, stopIds, vocabSize } = tokenizer;
  expect({ bosId, eosId, padId, stopIds, vocabSize }).toEqual({
    bosId: 300,
    eosId: 301,
    padId: 302,
    stopIds: [7, 301],
    vocabSize: 303,
  });
});

test("the strings on file can be asked for, and what is said about them", async () => {
  const tokenizer = await open(
    {},
    { "tokenizer_config.json": { unk_token: "<pad>", tokenizer_class: "GPT2TokenizerFast" } },
  );
  const { unkId, className, spaceMark } = tokenizer;
  expect({ unkId, className, spaceMark }).toEqual({
    unkId: 302,
    className: "GPT2Tokenizer",
    spaceMark: "Ġ",
  });
  const id = VOCABULARY.Ġh as number;
  expect([id, 301, 9999].map(tokenizer.piece)).toEqual(["Ġh", "</s>", ""]);
  expect(["Ġh", "</s>", " h"].map(tokenizer.idOf)).toEqual([id, 301, undefined]);
});

test("tokens of the side files that tokenizer.json lacks are found in texts", async () => {
  const tokenizer = await open(
    {},
    {
      "tokenizer_config.json": {
        added_tokens_decoder: { "310": { content: "<x>", special: true } },
      },
      "added_tokens.json": { "<y>": 311, "<s>": 999 },
    },
  );
  expect([...tokenizer.encode("<x><y><s>", { specialTokens: false }).ids]).toEqual([310, 311, 300]);
  expect(tokenizer.isSpecial(310)).toBe(true);
});

test("special tokens around a text have empty spans at its ends", async () => {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const post_processor = {
    type: "TemplateProcessing",
    single: [special("<s>"), { Sequence: { id: "A", type_id: 0 } }, special("</s>")],
    special_tokens: { "<s>": { ids: [300] }, "</s>": { ids: [301] } },
  };
  const tokenizer = await open({ post_processor });
  const { ids, spans, byteLength } = tokenizer.encode("hello", { specialTokens: true });
  expect([...ids]).toEqual([300, VOCABULARY.hello, 301]);
  expect([...spans.bytes]).toEqual([0, 0, 5, 5]);
  expect(byteLength).toBe(5);
  const empty = tokenizer.encode("", { specialTokens: true });
  expect([[...empty.ids], [...empty.spans.chars]]).toEqual([
    [300, 301],
    [0, 0, 0],
  ]);
});

test("a character in several tokens has exact bytes, and belongs to the token that completes it", async () => {
  const { spans } = (await open()).encode("aé🦙", { specialTokens: false });
  expect([...spans.bytes]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect([...spans.chars]).toEqual([0, 1, 1, 2, 2, 2, 2, 4]);
});

test("any text comes back from its tokens, and each token's bytes are those of its span", async () => {
  const tokenizer = await open();
  // Any letter; fast-check's own unit for that takes seconds to make.
  const most = 0x10ffff - 0x800;
  const unit = fc
    .oneof(fc.nat({ max: 0x2ff }), fc.nat({ max: most }))
    .map((point) => String.fromCodePoint(point < 0xd800 ? point : point + 0x800));
  const text = fc.string({ unit, maxLength: 40 });
  fc.assert(
    fc.property(fc.oneof(text, fc.stringMatching(/^[helo ]*$/)), (original) => {
      const { ids, spans, byteLength } = tokenizer.encode(original, { specialTokens: false });
      const bytes = UTF8.encode(original);
      expect(byteLength).toBe(bytes.length);
      expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(original);
      const spelled = [...ids].map((id) => [...tokenizer.tokenBytes(id)]);
      const covered = spelled.map((_, i) => [
        ...bytes.subarray(spans.bytes[i], spans.bytes[i + 1]),
      ]);
      expect(spelled).toEqual(covered);
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("half of a surrogate pair is read as U+FFFD and keeps its place", async () => {
  const tokenizer = await open();
  const { ids, spans } = tokenizer.encode("a\ud83eb", { specialTokens: false });
  expect(tokenizer.decode(ids, { skipSpecial: false })).toBe("a\ufffdb");
  expect([spans.chars.at(-1), spans.bytes.at(-1)]).toEqual([3, 5]);
});

test("a stream gives whole characters only, and what broke off at its end", async () => {
  const tokenizer = await open();
  const { ids } = tokenizer.encode("é🦙!", { specialTokens: false });
  const stream = tokenizer.openStream({ skipSpecial: true });
  expect([...ids].map((id) => stream.push(id))).toEqual(["", "é", "", "", "", "🦙", "!"]);
  expect(stream.push(300)).toBe("");
  expect(stream.push(ids[0]!)).toBe("");
  expect(stream.end()).toBe("\ufffd");
});

const MARKED = {
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  },
  pre_tokenizer: null,
  decoder: {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", content: " ", start: 1, stop: 0 },
    ],
  },
  model: {
    type: "BPE",
    vocab: { "▁": 0, a: 1, "▁a": 2, "<0xC3>": 3, "<0xA9>": 4 },
    merges: ["▁ a"],
    byte_fallback: true,
  },
};

test("a text that goes on keeps the space that a new one loses", async () => {
  const tokenizer = await open(MARKED);
  const { ids } = tokenizer.encode("a a", { specialTokens: false });
  expect([...ids]).toEqual([2, 2]);
  expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("a a");
  expect(tokenizer.decode([2], { skipSpecial: true, continues: true })).toBe(" a");
});

test("the space put in front is empty, and spelled bytes are exact", async () => {
  const { ids, spans } = (await open(MARKED)).encode("é a", { specialTokens: false });
  expect([...ids]).toEqual([0, 3, 4, 2]);
  expect([...spans.bytes]).toEqual([0, 0, 1, 2, 4]);
  expect([...spans.chars]).toEqual([0, 0, 0, 1, 3]);
});

test("letters that would make a quantifier possessive are letters in a class or behind a backslash", async () => {
  const splitting = (Regex: string) => ({
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex }, behavior: "Isolated" },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
  });
  for (const pattern of ["[()*+,]", "\\*+", "[?+\\]]"]) {
    const { encode } = await open(splitting(pattern));
    expect(encode("he*+he", { specialTokens: false }).ids.length, pattern).toBeGreaterThan(0);
  }
});

const model = BASE.model;
test.each<[string, object, string]>([
  ["Unigram", { model: { type: "Unigram", vocab: [["a", 0]] } }, '"Unigram"'],
  ["a suffix for words", { model: { ...model, end_of_word_suffix: "</w>" } }, "end_of_word_suffix"],
  ["a merge of nothing known", { model: { ...model, merges: ["h q"] } }, '"h" and "q"'],
  ["a merge of three", { model: { ...model, merges: ["h e l"] } }, "not a merge of two"],
  ["a huge id", { model: { ...model, vocab: { a: 2 ** 40 } } }, "no usable id"],
  [
    "\\G",
    { pre_tokenizer: { type: "Split", pattern: { Regex: "\\G a" }, behavior: "Isolated" } },
    "\\\\G",
  ],
  [
    "a possessive quantifier",
    { pre_tokenizer: { type: "Split", pattern: { Regex: "a++" }, behavior: "Isolated" } },
    "++",
  ],
  [
    "a pattern that takes exponentially long",
    { pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+" }, behavior: "Isolated" } },
    "more than one way, and could take for ever",
  ],
  [
    "such a pattern in a normalizer",
    { normalizer: { type: "Replace", pattern: { Regex: "\\s*\\s*\\s*x" }, content: "" } },
    "3 repetitions in a row",
  ],
  [
    "a broken pattern",
    { pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } },
    "no regular expression",
  ],
  ["an unknown pre-tokenizer", { pre_tokenizer: { type: "BertPreTokenizer" } }, "BertPreTokenizer"],
  ["an unknown normalizer", { normalizer: { type: "Precompiled" } }, "Precompiled"],
  ["an unknown decoder", { decoder: { type: "WordPiece" } }, "WordPiece"],
  ["no decoder", { decoder: null }, "no decoder"],
  ["an unknown post-processor", { post_processor: { type: "BertProcessing" } }, "BertProcessing"],
  ["an added token without an id", { added_tokens: [{ content: "<s>" }] }, "added token"],
])("%s is refused with its name", async (_, change, named) => {
  const opening = openTokenizer(filesOf({ ...BASE, ...change }));
  await expect(opening).rejects.toMatchObject({ code: "bad-config" });
  await expect(opening).rejects.toThrow(named);
});

test("a file that is no JSON is refused with its name", async () => {
  const files: FileTree = new Map([["tokenizer.json", bytesInMemory(UTF8.encode("{"))]]);
  await expect(openTokenizer(files)).rejects.toMatchObject({ code: "bad-config" });
});
