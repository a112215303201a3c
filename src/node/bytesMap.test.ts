import { describe, expect, test } from "vitest";
import { bytesTarget } from "../engine/fuse/align/maps/bytes.ts";
import type { Vocabulary } from "../engine/fuse/align/types.ts";
import { openVocabulary } from "../engine/fuse/align/vocabulary.ts";
import { openTokenizer, type TextTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

interface Side {
  readonly tokenizer: TextTokenizer;
  readonly vocabulary: Vocabulary;
}

const opening = new Map<string, Promise<Side>>();
function open(name: string): Promise<Side> {
  const known = opening.get(name) ?? openSide(name);
  opening.set(name, known);
  return known;
}

async function openSide(name: string): Promise<Side> {
  const { files, close } = await openFiles(testDataPath("zoo", "tokenizers", name));
  try {
    const tokenizer = await openTokenizer(files);
    if (!tokenizer) throw new Error(`${name} has no tokenizer.json`);
    return { tokenizer, vocabulary: openVocabulary(tokenizer) };
  } finally {
    await close();
  }
}

const making = new Map<string, ReturnType<typeof makeMap>>();
function mapOf(pivotName: string, sourceName: string): ReturnType<typeof makeMap> {
  const key = `${pivotName} ${sourceName}`;
  const known = making.get(key) ?? makeMap(pivotName, sourceName);
  making.set(key, known);
  return known;
}

async function makeMap(pivotName: string, sourceName: string) {
  const [pivot, source] = await Promise.all([open(pivotName), open(sourceName)]);
  const target = bytesTarget({
    pivot: pivot.vocabulary,
    source: source.vocabulary,
    pivotTokenizer: pivot.tokenizer,
    sourceTokenizer: source.tokenizer,
  });
  return { pivot: pivot.vocabulary, source: source.vocabulary, target };
}

describe.skipIf(!hasTestData)("maps by bytes", { timeout: 30_000 }, () => {
  test.each([
    ["llama2_hf", "gpt2", " get", "▁get"],
    ["llama2_hf", "gpt2", "get", "get"],
    ["llama2_hf", "gpt2", "\n", "<0x0A>"],
    ["llama2_hf", "gpt2", "A", "A"], // not <0x41>, which has the same byte
    ["llama2_hf", "gpt2", " unbelievable", "▁un"], // as the pivot cuts it, not its longest prefix
    ["gpt2", "llama2_hf", "▁get", "Ġget"],
    ["gpt2", "llama2_hf", "<0x0A>", "Ċ"],
    ["gpt2", "llama2_hf", "▁Хронологија", "ĠÐ"],
    ["gpt2", "llama2_hf", "<s>", "<|endoftext|>"],
    ["gpt2", "llama2_hf", "<unk>", null],
    ["gpt2", "phi3_hf", "<|endoftext|>", "<|endoftext|>"],
    ["gpt2", "phi3_hf", "<|assistant|>", null], // a control token is no text
  ])("for %s, %s's %j is %j", async (pivotName, sourceName, piece, expected) => {
    const { pivot, source, target } = await mapOf(pivotName, sourceName);
    const id = [piece, piece.replace(" ", "Ġ").replace("\n", "Ċ")]
      .map((written) => source.idOf(written))
      .find((found) => found !== undefined);
    const found = target(id!);
    expect(found === null ? null : pivot.piece(found)).toBe(expected);
  });

  test.each([
    ["llama2_hf", "gpt2"],
    ["gpt2", "llama2_hf"],
  ])("for %s the tokens of %s begin as their targets do", async (...names) => {
    const { pivot, source, target } = await mapOf(...(names as [string, string]));
    let [seen, equal, without] = [0, 0, 0];
    for (let id = 0; id < source.size; id += 11) {
      seen++;
      if ([source.bosId, source.eosId, source.unkId].includes(id)) continue;
      const found = target(id);
      if (found === null) {
        without++;
        continue;
      }
      const [own, its] = [source.bytes(id), pivot.bytes(found)];
      if (own.join() === its.join()) equal++;
      else expect(own.subarray(0, its.length).join()).toBe(its.join());
    }
    expect(equal).toBeGreaterThan(seen / 4);
    expect(without).toBe(0);
  });
});
