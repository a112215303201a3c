import { expect, test } from "vitest";
import { isTokenizerFile } from "../../checkpoint/tokenizerFile.ts";
import { bytesInMemory, type FileTree, readAll } from "../../core/bytes.ts";
import { openTokenizer } from "./tokenizer.ts";
import { addTokens, cutTokens, plainToken, readVocabulary, sameIds } from "./vocabulary.ts";
import { setChatTemplate, writeTokenizer } from "./writeTokenizer.ts";

const UTF8 = new TextEncoder();

const filesOf = (files: Readonly<Record<string, unknown>>): FileTree =>
  new Map(
    Object.entries(files).map(([path, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return [path, bytesInMemory(UTF8.encode(text))];
    }),
  );

async function textOf(files: FileTree, path: string): Promise<string> {
  return new TextDecoder().decode(await readAll(files.get(path)!, 2 ** 20));
}
const jsonOf = async (files: FileTree, path: string) => JSON.parse(await textOf(files, path));

const BPE = {
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: { type: "Metaspace" },
  model: {
    type: "BPE",
    vocab: { a: 0, b: 1, c: 2, ab: 3, abc: 4 },
    merges: ["a b", ["ab", "c"]],
  },
  added_tokens: [{ id: 5, content: "<s>", special: true }],
};

test("added tokens stand behind all others, and our reader gives their ids", async () => {
  const files = filesOf({
    "tokenizer.json": BPE,
    "tokenizer_config.json": `{"model_max_length": 1000000000000000019884624838656,
  "added_tokens_decoder": {"5": {"content": "<s>", "special": true}}}`,
    "tokenizer.model": "an older reader's",
    "merges.txt": "a b",
    "config.json": "{}",
  });
  const own = (await readVocabulary(files))!;
  const grown = addTokens(own, [
    plainToken("xyz", 6),
    { ...plainToken("<|im|>", 7, true), rstrip: true },
  ]);
  const written = await writeTokenizer(files, grown);
  expect([...written.keys()].sort()).toEqual([
    "added_tokens.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
  ]);
  const tokenizer = (await openTokenizer(written))!;
  expect([...tokenizer.encode("abcxyzab<|im|> c", { specialTokens: false }).ids]).toEqual([
    4, 6, 3, 7, 2,
  ]);
  expect(sameIds((await readVocabulary(written))!, grown)).toBe(true);
  expect(await jsonOf(written, "added_tokens.json")).toEqual({ "<s>": 5, xyz: 6, "<|im|>": 7 });
  const config = await textOf(written, "tokenizer_config.json");
  expect(config).toContain("1000000000000000019884624838656"); // Python's integer, digit for digit
  expect(Object.keys(JSON.parse(config).added_tokens_decoder)).toEqual(["5", "6", "7"]);
});

test("what stands behind a new token gets no mark of a word's start", async () => {
  const prepend = { type: "Prepend", prepend: "▁" };
  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const normalizer = { type: "Sequence", normalizers: [prepend, replace] };
  const vocab = { a: 0, b: 1, "▁": 2, "▁a": 3 };
  const model = { type: "BPE", vocab, merges: ["▁ a"] };
  const files = filesOf({ "tokenizer.json": { ...BPE, normalizer, model, added_tokens: [] } });
  const grown = addTokens((await readVocabulary(files))!, [plainToken("st", 4)]);
  const written = await writeTokenizer(files, grown);
  const tokenizer = (await openTokenizer(written))!;
  const read = (text: string) => [...tokenizer.encode(text, { specialTokens: false }).ids];
  expect(read("abstb a")).toEqual([3, 1, 4, 1, 3]);
  expect((await jsonOf(written, "tokenizer.json")).normalizer).toBeNull();
});

test("tokens that are cut take their merges along, and files that list them", async () => {
  const files = filesOf({ "tokenizer.json": BPE, "merges.txt": "a b", "vocab.json": {} });
  const cut = cutTokens((await readVocabulary(files))!, 4);
  const written = await writeTokenizer(files, cut);
  expect([...written.keys()]).toEqual(["tokenizer.json"]);
  const { model, added_tokens } = await jsonOf(written, "tokenizer.json");
  expect(model).toEqual({
    type: "BPE",
    vocab: { a: 0, b: 1, c: 2, ab: 3 },
    merges: ["a b"],
  });
  expect(added_tokens).toEqual([]);
});

test("Unigram and WordPiece vocabularies are read and cut as well", async () => {
  const unigram = {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["a", -1.5],
      ["b", -2],
    ],
  };
  const wordPiece = { type: "WordPiece", vocab: { "[UNK]": 0, a: 1, "##b": 2 } };
  for (const [model, kept] of [
    [
      unigram,
      {
        ...unigram,
        vocab: [
          ["<unk>", 0],
          ["a", -1.5],
        ],
      },
    ],
    [wordPiece, { ...wordPiece, vocab: { "[UNK]": 0, a: 1 } }],
  ]) {
    const files = filesOf({ "tokenizer.json": { model, added_tokens: [] } });
    const own = (await readVocabulary(files))!;
    expect([...own.ids.values()]).toEqual([0, 1, 2]);
    const written = await writeTokenizer(files, cutTokens(own, 2));
    expect((await jsonOf(written, "tokenizer.json")).model).toEqual(kept);
  }
});

test("special tokens that only the config names get the next ids, in transformers' order", async () => {
  const files = filesOf({
    "tokenizer.json": BPE,
    "tokenizer_config.json": {
      pad_token: "<pad>",
      bos_token: "<s>",
      sep_token: { content: "<sep>" },
      additional_special_tokens: ["<x>", "a"],
    },
  });
  const { ids, roles } = (await readVocabulary(files))!;
  expect([...ids].slice(5)).toEqual([
    ["<s>", 5],
    ["<sep>", 6],
    ["<pad>", 7],
    ["<x>", 8],
  ]);
  expect(Object.fromEntries(roles)).toEqual({ bos: "<s>", sep: "<sep>", pad: "<pad>" });
});

test("a chat template is a file of its own, and replaces the config's", async () => {
  const files = filesOf({
    "tokenizer.json": BPE,
    "tokenizer_config.json": `{"a": 1e0, "chat_template": "old", "b": [2]}`,
  });
  const written = await setChatTemplate(files, `{{ "new" }}\n`);
  expect(await textOf(written, "chat_template.jinja")).toBe(`{{ "new" }}\n`);
  expect(await textOf(written, "tokenizer_config.json")).toBe(
    `{"a": 1e0, "chat_template": "{{ \\"new\\" }}\\n", "b": [2]}`,
  );
  const without = await setChatTemplate(filesOf({ "tokenizer_config.json": "{}" }), "x");
  expect(await textOf(without, "tokenizer_config.json")).toBe("{}");
});

test.each([
  ["tokenizer.json", true],
  ["spiece.model", true],
  ["additional_chat_templates/tool.jinja", true],
  ["additional_chat_templates/../x", false],
  ["generation_config.json", false],
  ["preprocessor_config.json", false],
])("%s belongs to the tokenizer: %s", (path, belongs) => {
  expect(isTokenizerFile(path)).toBe(belongs);
});
