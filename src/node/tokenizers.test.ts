import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytesInMemory, type FileTree } from "../engine/core/bytes.ts";
import { openTokenizer, type TextTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";
import { compareWithGolden, readGolden } from "./tokenizerGoldens.ts";

const opening = new Map<string, Promise<TextTokenizer>>();

/** A real tokenizer takes a second to open: once is enough. */
function openFolder(folder: string): Promise<TextTokenizer> {
  const tokenizer = opening.get(folder) ?? open(folder);
  opening.set(folder, tokenizer);
  return tokenizer;
}

async function open(folder: string): Promise<TextTokenizer> {
  const opened = await openFiles(testDataPath(folder));
  try {
    const tokenizer = await openTokenizer(opened.files);
    if (!tokenizer) throw new Error("no tokenizer.json");
    return tokenizer;
  } finally {
    await opened.close();
  }
}

const made = readGolden("made.json");
/** The library's own offsets slip by the letters that it dropped. */
const SPANS_SLIP = new Set(["unknown-dropped"]);

test.each(Object.keys(made.tokenizers))(
  "made tokenizer %s answers as the library",
  async (name) => {
    const { tokenizer, cases } = made.tokenizers[name]!;
    const json = new TextEncoder().encode(JSON.stringify(tokenizer));
    const files: FileTree = new Map([["tokenizer.json", bytesInMemory(json)]]);
    const ours = (await openTokenizer(files))!;
    const complaints = cases.flatMap((golden, i) =>
      compareWithGolden(ours, made.texts[i]!, golden, { spans: !SPANS_SLIP.has(name) }),
    );
    expect(cases).toHaveLength(made.texts.length);
    expect(complaints).toEqual([]);
  },
);

describe.skipIf(!hasTestData)("real tokenizers", { timeout: 30_000 }, () => {
  const real = readGolden("real.json");

  test.each(Object.keys(real.tokenizers))("%s answers as the library", async (folder) => {
    const ours = await openFolder(folder);
    const { cases } = real.tokenizers[folder]!;
    const complaints = cases.flatMap((golden, i) =>
      compareWithGolden(ours, real.texts[i]!, golden),
    );
    expect(complaints).toEqual([]);
  });

  /** Their normalizers change texts on purpose, or their decoders do. */
  const LOSSY = /oa-test|tok4096|yi15|babyllama-tok105|gpt-nano-sort/;

  test.each(Object.keys(real.tokenizers).filter((folder) => !LOSSY.test(folder)))(
    "%s gives every text back",
    async (folder) => {
      const ours = await openFolder(folder);
      // SentencePiece writes spaces as ▁, puts one after a control token, and NFC composes.
      const kept = real.texts.filter(
        (text) =>
          !text.includes("▁") &&
          text === text.normalize("NFC") &&
          !ours.addedTokens.some((token) => text.includes(token)),
      );
      expect(kept.length).toBeGreaterThan(30);
      for (const text of kept) {
        const { ids } = ours.encode(text, { specialTokens: false });
        expect(ours.decode(ids, { skipSpecial: false })).toBe(text);
      }
    },
  );

  test.each([
    ["gpt2", "gpt-2"],
    ["llama3", "llama-bpe"],
    ["qwen2_5", "qwen2"],
    ["llama2_hf", "llama-spm"],
    ["phi3_hf", "phi-3"],
  ])("%s gives llama.cpp's ids", async (folder, vectors) => {
    const ours = await openFolder(`zoo/tokenizers/${folder}`);
    const read = (end: string) =>
      readFileSync(
        testDataPath("zoo", "gguf", "vocab", `ggml-vocab-${vectors}.gguf.${end}`),
        "utf8",
      );
    const texts = read("inp").split("\n__ggml_vocab_test__\n");
    const answers = read("out").split("\n");
    expect(texts.length).toBeGreaterThan(40);
    for (const [i, text] of texts.entries()) {
      const ids = ours.encode(text, { specialTokens: false }).ids.join(" ");
      expect(ids, JSON.stringify(text)).toBe(answers[i]?.trim());
    }
  });
});
