import { expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import { lettersToBytes } from "./byteLetters.ts";
import { openTokenizer } from "./tokenizer.ts";

const UTF8 = new TextEncoder();
const TEXTS = ["low low", "low<|endoftext|>low", "Don't 12 cafe\u0301\n\n  x", "a <mask> b</s>"];

function openFolder(
  config: Readonly<Record<string, unknown>>,
  added: readonly string[],
  merges = "#version: 0.2\nl o\nlo w\nĠ low\n",
) {
  const letters = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code));
  const isByte = (letter: string) => lettersToBytes(letter).length === 1;
  const bytes = letters.filter((letter) => isByte(letter) && letter > " " && letter !== "\x7f");
  const tokens = [...bytes, "lo", "low", "Ġlow", ...added];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const file = (text: string) => bytesInMemory(UTF8.encode(text));
  return openTokenizer(
    new Map([
      ["vocab.json", file(JSON.stringify(vocab))],
      ["merges.txt", file(merges)],
      ["tokenizer_config.json", file(JSON.stringify(config))],
    ]),
  );
}

/** What AutoTokenizer of transformers 5.23.0 (tokenizers 0.23.3) makes of the same folders. */
const CASES = [
  {
    name: "GPT-2",
    config: { tokenizer_class: "GPT2Tokenizer" },
    added: ["<|endoftext|>"],
    ids: [
      [257, 258],
      [257, 259, 257],
      [35, 78, 77, 6, 83, 220, 16, 17, 220, 66, 64, 69, 68, 136, 223, 198, 198, 220, 220, 87],
      [64, 220, 27, 76, 64, 82, 74, 29, 220, 65, 27, 14, 82, 29],
    ],
  },
  {
    name: "GPT-2 with a first space and a first token",
    config: { tokenizer_class: "GPT2TokenizerFast", add_prefix_space: true, add_bos_token: true },
    added: ["<|endoftext|>"],
    ids: [
      [259, 258, 258],
      [259, 258, 259, 258],
      [
        259, 220, 35, 78, 77, 6, 83, 220, 16, 17, 220, 66, 64, 69, 68, 136, 223, 198, 198, 220, 220,
        87,
      ],
      [259, 220, 64, 220, 27, 76, 64, 82, 74, 29, 220, 65, 27, 14, 82, 29],
    ],
  },
  {
    name: "Qwen2",
    config: {
      tokenizer_class: "Qwen2Tokenizer",
      eos_token: "<|im_end|>",
      added_tokens_decoder: { "260": { content: "<|im_end|>", special: true, normalized: false } },
    },
    added: ["<|endoftext|>", "<|im_end|>"],
    ids: [
      [257, 258],
      [257, 259, 257],
      [35, 78, 77, 6, 83, 220, 16, 17, 220, 66, 64, 69, 127, 102, 198, 198, 220, 220, 87],
      [64, 220, 27, 76, 64, 82, 74, 29, 220, 65, 27, 14, 82, 29],
    ],
  },
  {
    name: "RoBERTa",
    config: { tokenizer_class: "RobertaTokenizer" },
    added: ["<s>", "</s>", "<unk>", "<pad>", "<mask>"],
    ids: [
      [259, 257, 258, 260],
      [259, 257, 27, 91, 68, 77, 67, 78, 69, 83, 68, 87, 83, 91, 29, 257, 260],
      [
        259, 35, 78, 77, 6, 83, 220, 16, 17, 220, 66, 64, 69, 68, 136, 223, 198, 198, 220, 220, 87,
        260,
      ],
      [259, 64, 220, 263, 220, 65, 260, 260],
    ],
  },
];

test.each(CASES)("vocab.json and merges.txt are read as $name", async ({ config, added, ids }) => {
  const tokenizer = await openFolder(config, added);
  const read = TEXTS.map((text) => [...tokenizer!.encode(text, { specialTokens: true }).ids]);
  expect(read).toEqual(ids);
});

test("special tokens are those of the class where no file names others", async () => {
  const gpt2 = await openFolder({}, ["<|endoftext|>"]);
  expect([gpt2!.bosId, gpt2!.eosId, gpt2!.stopIds, gpt2!.isSpecial(259)]).toEqual([
    259,
    259,
    [259],
    true,
  ]);
  const qwen = await openFolder({ tokenizer_class: "Qwen2Tokenizer", eos_token: "x" }, []);
  expect([qwen!.bosId, qwen!.eosId]).toEqual([null, qwen!.idOf("x")]);
});

test("a class that reads the two files in its own way is refused by name", async () => {
  await expect(openFolder({ tokenizer_class: "CLIPTokenizer" }, [])).rejects.toMatchObject({
    code: "bad-config",
    message: expect.stringContaining("CLIPTokenizer"),
  });
  await expect(openFolder({}, [], "l o\nlonely\n")).rejects.toThrow("is not a merge of two tokens");
});
