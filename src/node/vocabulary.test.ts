import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Vocabulary } from "../engine/fuse/align/types.ts";
import { hasTestData, testDataPath } from "./testdata.ts";
import { vocabularyInFolder } from "./vocabularyFiles.ts";

const opening = new Map<string, Promise<Vocabulary>>();
function open(...path: readonly string[]): Promise<Vocabulary> {
  const folder = testDataPath("zoo", ...path);
  const known = opening.get(folder) ?? vocabularyInFolder(folder);
  opening.set(folder, known);
  return known;
}

describe.skipIf(!hasTestData)("vocabularies", { timeout: 30_000 }, () => {
  test.each([
    ["tokenizers", "llama2_hf"],
    ["tokenizers", "gpt2"],
    ["models", "aidreams260K"],
  ])("%s/%s: strings on file and decoded as the references have them", async (folder, name) => {
    const path = testDataPath("goldens", "alignment", "token_strings.json");
    const strings: Record<string, [string, string?]> = JSON.parse(readFileSync(path, "utf8"))[name];
    const vocabulary = await open(folder, name);
    expect(Object.keys(strings).length).toBeGreaterThan(400);
    for (const [id, [piece, decoded]] of Object.entries(strings)) {
      expect(vocabulary.piece(Number(id))).toBe(piece);
      expect(vocabulary.idOf(piece)).toBe(Number(id));
      if (decoded !== undefined) expect(vocabulary.decoded(Number(id))).toBe(decoded);
    }
  });

  test("what files say of the unknown token, the class and the marker", async () => {
    const about = async (name: string) => {
      const { marker, className, unkId, bosId, eosId } = await open("tokenizers", name);
      return { marker, className, unkId, bosId, eosId };
    };
    expect(await about("gpt2")).toEqual({
      marker: "Ġ",
      className: "GPT2Tokenizer",
      unkId: 50256,
      bosId: 50256,
      eosId: 50256,
    });
    expect(await about("llama2_hf")).toEqual({
      marker: "▁",
      className: "LlamaTokenizer",
      unkId: 0,
      bosId: 1,
      eosId: 2,
    });
  });
});
