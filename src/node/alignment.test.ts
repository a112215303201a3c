import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createAligner } from "../engine/align/aligner.ts";
import type { SourceRows, TokenisedText, Vocabulary } from "../engine/align/types.ts";
import { openVocabulary, remark } from "../engine/align/vocabulary.ts";
import { openTokenizer } from "../engine/text/tokenizer.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

const opening = new Map<string, Promise<Vocabulary>>();
function open(...path: readonly string[]): Promise<Vocabulary> {
  const folder = testDataPath("zoo", ...path);
  const known = opening.get(folder) ?? openFolder(folder);
  opening.set(folder, known);
  return known;
}

async function openFolder(folder: string): Promise<Vocabulary> {
  const { files, close } = await openFiles(folder);
  try {
    return openVocabulary((await openTokenizer(files))!);
  } finally {
    await close();
  }
}

function readLines<T>(name: string): readonly T[] {
  const text = readFileSync(testDataPath("zoo", "fusellm", `${name}.jsonl`), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

interface Represented {
  readonly input_ids: readonly number[];
  readonly per_step_logits: readonly (readonly number[])[];
  readonly per_step_indices: readonly (readonly number[])[];
}

interface AlignedText {
  readonly per_step_aligned_logits_0: readonly (readonly number[])[];
  readonly per_step_aligned_indices_0: readonly (readonly number[])[];
}

function said({ per_step_indices: ids, per_step_logits: logits }: Represented): SourceRows {
  const offsets = Uint32Array.from({ length: ids.length + 1 }, (_, row) =>
    ids.slice(0, row).reduce((sum, row) => sum + row.length, 0),
  );
  return {
    rows: { offsets, ids: Uint32Array.from(ids.flat()), values: Float32Array.from(logits.flat()) },
    rowOf: Int32Array.from(ids, (_, at) => at),
  };
}

/** FuseLLM does not ask where tokens end. */
function tokens({ input_ids }: Represented): TokenisedText {
  return { ids: Uint32Array.from(input_ids), ends: Uint32Array.from(input_ids.keys()) };
}

const SOURCES = ["aidreams260K", "babyllama-tok105", "babyllama-tok361"];
const PIVOT = "stories260K";

describe.skipIf(!hasTestData)("FuseLLM's own functions over real models", () => {
  test.each(SOURCES.flatMap((source) => ["hard", "soft"].map((mode) => [source, mode] as const)))(
    "%s, %s: every row",
    async (name, mode) => {
      const [pivot, source] = [await open("models", PIVOT), await open("models", name)];
      const mapping: Record<string, string> = JSON.parse(
        readFileSync(
          testDataPath("zoo", "fusellm", `vocab_mapping_${name}_to_${PIVOT}.json`),
          "utf8",
        ),
      );
      const target = (id: number) => {
        const own = remark(source.piece(id), source, pivot);
        return pivot.idOf(mode === "soft" ? mapping[own]! : own) ?? null;
      };
      const aligner = createAligner({
        settings: { profile: "fusellm", vocabulary: "mined", matrix: false, fallback: "current" },
        ...{ pivot, source, map: { target, count: () => 0 } },
      });
      const pivots = readLines<Represented>(`repr_${PIVOT}`);
      const sources = readLines<Represented>(`repr_${name}`);
      const wanted = readLines<AlignedText>(`aligned_${name}_to_${PIVOT}_${mode}`);
      expect(wanted).toHaveLength(32);
      for (const [i, want] of wanted.entries()) {
        const { rows } = aligner.align(tokens(pivots[i]!), tokens(sources[i]!), said(sources[i]!));
        const lengths = want.per_step_aligned_indices_0.map((row) => row.length);
        expect(Array.from(lengths, (_, at) => rows.offsets[at + 1]! - rows.offsets[at]!)).toEqual(
          lengths,
        );
        expect([...rows.ids]).toEqual(want.per_step_aligned_indices_0.flat());
        expect([...rows.values]).toEqual(want.per_step_aligned_logits_0.flat());
      }
    },
  );
});

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
      ...{ marker: "Ġ", className: "GPT2Tokenizer", unkId: 50256, bosId: 50256, eosId: 50256 },
    });
    expect(await about("llama2_hf")).toEqual({
      ...{ marker: "▁", className: "LlamaTokenizer", unkId: 0, bosId: 1, eosId: 2 },
    });
  });
});
