import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import { toF32 } from "../engine/core/tensor/convert.ts";
import type { Representation } from "../engine/fuse/dataset/records.ts";
import { openDocumentTokenizer } from "../engine/fuse/documents/tokenise.ts";
import { represent } from "../engine/fuse/represent/represent.ts";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { largestIds, logSumExp } from "../engine/runtime/language/readTokens.ts";
import { openTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** Rows that FuseLLM's own `get_top_k_logits` wrote of real models, from float32 logits. */
interface Reference {
  readonly id: number;
  readonly input_ids: readonly number[];
  readonly per_step_logits: readonly (readonly number[])[];
  readonly per_step_indices: readonly (readonly number[])[];
  readonly per_step_metric_ce: readonly number[];
}

const MODELS = ["stories260K", "aidreams260K", "babyllama-tok105", "babyllama-tok361"];

async function readLines<T>(...path: readonly string[]): Promise<readonly T[]> {
  const text = await readFile(testDataPath("zoo", "fusellm", ...path), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

const gpu = await useGpu();

/** Half an ulp of f16 at a value. */
const halfUlp = (value: number) =>
  2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 2 ** -14))) - 11);

/**
 * Logits are computed in f32 on both sides and differ by less than 1e-4 here; rounded to f16 they
 * are equal, or neighbours where a border between two f16 lies between them.
 */
const COMPUTED = 1e-4;

interface Golden {
  readonly model: string;
  readonly ids: readonly number[];
  /** Whose logits were kept. */
  readonly positions: readonly number[];
}

describe("the likeliest tokens that transformers gives", () => {
  const names = ["llama", "qwen2", "gemma2", "gpt2", "ember-base", "flint-source", "slate-source"];
  const { cases } = JSON.parse(readFileSync("goldens/nn/manifest.json", "utf8"));
  test.each(names)("%s", async (name) => {
    const golden = cases[name] as Golden;
    const bytes = new Uint8Array(readFileSync("goldens/nn/logits.safetensors"));
    const files = new Map([["model.safetensors", bytesInMemory(bytes)]]);
    const { source, start, byteLength } = (await openCheckpoint(files, "goldens")).tensors.get(
      name,
    )!;
    const logits = toF32(await source.read(start, byteLength), "F32");
    const opened = await openFiles(golden.model);
    const model = await openDecoder(gpu, await openCheckpoint(opened.files, name), {});
    const ids = Uint32Array.from(golden.ids);
    const document = {
      tokens: { ids, ends: Uint32Array.from(ids, (_, at) => at) },
      supervised: new Uint8Array(ids.length).fill(1),
      unread: false,
    };
    for (const scale of ["raw", "log-probabilities"] as const) {
      const { said } = await represent({ gpu, model }, document, {
        k: 10,
        scale,
        tokens: model.vocabSize,
        signal: new AbortController().signal,
      });
      expect(said.positions.length).toBe(ids.length - 1);
      for (const [at, position] of golden.positions.entries()) {
        const row = said.positions.indexOf(position);
        if (row < 0) continue; // the last token's
        const whole = logits.subarray(at * model.vocabSize, (at + 1) * model.vocabSize);
        const top = largestIds(whole, 10);
        const total = logSumExp(whole);
        const shift = scale === "raw" ? 0 : total;
        compareEntries(said, row, { logits: top.map((id) => whole[id]! - shift), ids: top });
        expect(Math.abs(said.logSums[row]! - (total - shift))).toBeLessThanOrEqual(COMPUTED);
        const nats = total - whole[ids[position + 1]!]!;
        expect(Math.abs(said.goldNats[row]! - nats)).toBeLessThanOrEqual(2 * COMPUTED);
      }
    }
    model.release();
    await opened.close();
  });
});

describe.skipIf(!hasTestData)("FuseLLM's own rows", () => {
  test.each(MODELS)(
    "%s",
    async (name) => {
      const texts = await readLines<{ text: string }>("texts.jsonl");
      const references = await readLines<Reference>(`repr_${name}.jsonl`);
      const opened = await openFiles(testDataPath("zoo", "models", name));
      const checkpoint = await openCheckpoint(opened.files, name);
      const tokenizer = (await openTokenizer(opened.files))!;
      const model = await openDecoder(gpu, checkpoint, {});
      const reader = openDocumentTokenizer(tokenizer, { begins: false });
      let rows = 0;
      // Every third text: all of them agree, and take minutes on a software adapter.
      for (const reference of references.filter(({ id }) => id % 3 === 0)) {
        const document = reader.tokenise([
          { kind: "text", text: texts[reference.id]!.text, supervised: true },
          { kind: "end", text: "</s>", supervised: true },
        ]);
        expect([...document.tokens.ids]).toEqual(reference.input_ids);
        const { said } = await represent({ gpu, model }, document, {
          k: 10,
          scale: "raw",
          tokens: tokenizer.vocabSize,
          signal: new AbortController().signal,
        });
        expect(said.positions.length).toBe(reference.input_ids.length - 1);
        for (let row = 0; row < said.positions.length; row++) compareRow(said, row, reference);
        rows += said.positions.length;
      }
      expect(rows).toBeGreaterThan(700);
      model.release();
      await opened.close();
    },
    300_000,
  );
});

/** The ten entries of a row against those of a reference, the largest first. */
function compareEntries(
  said: Representation,
  row: number,
  { logits, ids }: { readonly logits: readonly number[]; readonly ids: readonly number[] },
): void {
  const ours = Array.from(said.logits.subarray(row * 10, row * 10 + 10));
  const oursIds = Array.from(said.ids.subarray(row * 10, row * 10 + 10));
  for (let i = 0; i < 10; i++) {
    const bound = COMPUTED + 2 * halfUlp(logits[i]!);
    const error = Math.abs(ours[i]! - logits[i]!);
    if (!(error <= bound)) expect(error, `row ${row}, entry ${i}`).toBeLessThanOrEqual(bound);
    if (oursIds[i] === ids[i]) continue;
    // Ids may swap where logits tie within the rounding, or with one that just missed the top ten.
    const there = ids.indexOf(oursIds[i]!);
    const other = there < 0 ? logits[9]! : logits[there]!;
    const tie = Math.abs(ours[i]! - other);
    if (!(tie <= bound)) expect(tie, `row ${row}, id ${oursIds[i]}`).toBeLessThanOrEqual(bound);
  }
}

function compareRow(said: Representation, row: number, reference: Reference): void {
  const position = said.positions[row]!;
  const logits = reference.per_step_logits[position]!;
  compareEntries(said, row, { logits, ids: reference.per_step_indices[position]! });
  // Theirs are told from logits that are rounded to f16, the gold one and the likeliest ones alike,
  // and are rounded themselves.
  const nats = reference.per_step_metric_ce[position]!;
  const error = Math.abs(said.goldNats[row]! - nats);
  const gold = said.logSums[row]! - said.goldNats[row]!;
  const bound = COMPUTED + halfUlp(gold) + halfUlp(logits[0]!) + halfUlp(nats);
  if (!(error <= bound)) expect(error, `nats of row ${row}`).toBeLessThanOrEqual(bound);
}
