import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FusionAttempt, FusionBench } from "./fuseTestParts.ts";

const TEXTS = ["Two children met an old woman in the wood.", "What is 12 plus 30? 12 + 30 = 42."];
const PIVOT = "ember-base";
const [FLINT, SLATE] = ["flint-source", "slate-source"] as const;
const SHORT = { maxTokens: 96 };

let bench: FusionBench;
beforeAll(async () => {
  bench = await FusionBench.open("bad data");
  for (const name of [PIVOT, FLINT, SLATE]) await bench.addSample(name);
  await bench.addDataset("texts.jsonl", TEXTS.map((text) => JSON.stringify({ text })).join("\n"));
});
afterAll(() => bench.close());

const BAD = [
  "{this is no JSON",
  JSON.stringify({ messages: [{ role: "user", content: "Hi" }] }),
  JSON.stringify({
    messages: [
      { role: "wizard", content: "Hi" },
      { role: "assistant", content: "Hi" },
    ],
  }),
  JSON.stringify({ text: "" }),
  JSON.stringify({ nothing: 1 }),
  JSON.stringify({ text: "A lone \ud800 surrogate." }),
  JSON.stringify({ text: "A family 👩‍👩‍👧 and \u0000." }),
];

test("bad data is counted and named, and the rest is fused", async () => {
  await bench.addDataset("bad.jsonl", `${BAD.join("\n")}\n{"text": 3}\n`);
  const request = { pivot: PIVOT, sources: [FLINT], datasets: ["bad.jsonl"] };
  const { card, notes } = await bench.fuse(request, SHORT);
  expect(card.documents).toBe(1);
  expect(card.dropped.map(({ reason }) => reason).sort()).toEqual([
    "a chat, and the pivot has no chat template (first: bad.jsonl, row 2)",
    'a message of the unknown role "wizard" (first: bad.jsonl, row 3)',
    "a text that is no UTF-8, or with half a character (a lone surrogate) (first: bad.jsonl, row 6)",
    "an empty text (first: bad.jsonl, row 4)",
    "no JSON (first: bad.jsonl, row 1)",
    expect.stringMatching(/^no layout that is known: its columns are "nothing"; .*row 5\)$/),
    expect.stringMatching(/^no layout that is known: its columns are "text"; .*row 8\)$/),
  ]);
  expect(notes).toHaveLength(7);
  await expect(bench.fuse(request, { ...SHORT, badRows: "refuse" })).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("bad.jsonl, row 1: no JSON"),
  });
});

test("of a table without a known column the one that was named is fused", async () => {
  await bench.addDataset("essays.csv", `heading,essay\nA,"${TEXTS[0]}"\nB,${TEXTS[1]}\n`);
  const request = { pivot: PIVOT, sources: [FLINT], datasets: ["essays.csv"] };
  const all = await bench.fuse(request, { ...SHORT, textColumn: "essay" });
  expect([all.card.documents, all.card.dropped]).toEqual([2, []]);
  const { card, notes } = await bench.fuse(request, { ...SHORT, textColumn: "essay", rows: 1 });
  expect(card.documents).toBe(1);
  expect(notes).toContain("essays.csv: 1 of 2 rows, drawn at random.");
  await expect(bench.fuse(request, SHORT)).rejects.toThrow("name as the text column");
});

test("a dataset with nothing but bad data is refused", async () => {
  await bench.addDataset("worse.jsonl", BAD.slice(0, 6).join("\n"));
  const request = { pivot: PIVOT, sources: [], datasets: ["worse.jsonl"] };
  await expect(bench.fuse(request)).rejects.toMatchObject({ code: "usage" });
});

test("a source with more logits than tokens gives none of the others, and is told", async () => {
  // The pivot's weights with a tokenizer of 320 tokens: 704 columns that stand for nothing.
  const files = ["tokenizer.json", "tokenizer_config.json"];
  const changed = Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file, await readFile(join("public/samples", SLATE, file))]),
    ),
  );
  const wide = await bench.addModel(join("public/samples", PIVOT), "wide", changed);
  const request = { pivot: PIVOT, sources: [wide], datasets: ["texts.jsonl"] };
  const attempt: FusionAttempt = {};
  const { notes } = await bench.fuse(request, SHORT, attempt);
  expect(notes.join()).toMatch(/wide has 704 logits more than tokens; .* in \d+ rows/);
  expect(attempt.state?.padding.wide).toBeGreaterThan(0);
});

test("a source without rows for its tokens, and one of NaN, drop their documents by name", async () => {
  const flint = await readFile(join("public/samples", FLINT, "tokenizer.json"));
  const config = await readFile(join("public/samples", FLINT, "tokenizer_config.json"));
  const narrow = await bench.addModel(join("public/samples", SLATE), "narrow", {
    "tokenizer.json": flint,
    "tokenizer_config.json": config,
  });
  const weights = await readFile(join("public/samples", SLATE, "model.safetensors"));
  const broken = await bench.addModel(join("public/samples", SLATE), "broken", {
    "model.safetensors": withNaN(weights, "embed_in"),
  });
  const request = { pivot: PIVOT, datasets: ["texts.jsonl"] };
  for (const [source, reason] of [
    [narrow, "narrow has no row for one of its tokenizer's tokens"],
    [broken, "broken gives no finite numbers"],
  ] as const) {
    const run = bench.fuse({ ...request, sources: [source] }, SHORT);
    const found = await run.then(
      ({ card }) => card.dropped.map((each) => each.reason).join(),
      (error: Error) => error.message,
    );
    expect(found).toContain(reason);
  }
}, 60_000);

/** The weights with NaN for the values of the tensor's last 64 tokens. */
function withNaN(weights: Buffer, name: string): Uint8Array {
  const bytes = Uint8Array.from(weights);
  const length = Number(weights.readBigUInt64LE(0));
  const header = JSON.parse(weights.subarray(8, 8 + length).toString());
  const key = Object.keys(header).find((each) => each.includes(name)) as string;
  const { shape, data_offsets: offsets } = header[key];
  const row = (offsets[1] - offsets[0]) / shape[0];
  bytes.fill(0xff, 8 + length + offsets[1] - 64 * row, 8 + length + offsets[1]);
  return bytes;
}
