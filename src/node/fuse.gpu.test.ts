import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { locksInMemory } from "../engine/core/jobs/locks.ts";
import { encodeRow, scoreRow } from "../engine/evaluate/scoreRow.ts";
import { bytesTarget } from "../engine/fuse/align/maps/bytes.ts";
import { openVocabulary } from "../engine/fuse/align/vocabulary.ts";
import { encodeFused } from "../engine/fuse/dataset/codec.ts";
import type { FusedRecord } from "../engine/fuse/dataset/records.ts";
import { createFuseKind } from "../engine/fuse/fuseJob.ts";
import { rowOf } from "../engine/fuse/rows/distribution.ts";
import { findOwnRow } from "../engine/fuse/rows/rowView.ts";
import { representationFolder } from "../engine/fuse/stages/fuseStagesRepresent.ts";
import { type FusionAttempt, FusionBench } from "./fuseTestParts.ts";

const TALE = "Once upon a time a poor woodcutter lived by the forest with his two children. ";
const ROWS = [
  { text: "Two children met an old woman in the wood.", category: "tale" },
  { text: "ROMEO. But soft, what light through yonder window breaks?\n", category: "drama" },
  { text: TALE.repeat(3), category: "tale" },
  { text: "What is 12 plus 30? 12 + 30 = 42.", category: "maths" },
];
const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");

const PIVOT = "ember-base";
const [FLINT, SLATE] = ["flint-source", "slate-source"] as const;
const TEXTS = { datasets: ["texts.jsonl"] };
/** Long texts are cut into parts of at most so many tokens of slate-source. */
const SHORT = { maxTokens: 96 };

let bench: FusionBench;
beforeAll(async () => {
  bench = await FusionBench.open("fuse");
  for (const name of [PIVOT, FLINT, SLATE]) await bench.addSample(name);
  await bench.addDataset("texts.jsonl", lines(ROWS));
});
afterAll(() => bench.close());

const bytesOf = (records: readonly FusedRecord[]) => records.map((record) => encodeFused(record));
const entries = ({ fused }: FusedRecord, row: number) =>
  [...fused.ids.subarray(fused.offsets[row], fused.offsets[row + 1])].map(
    (id, i) => [id, fused.values[fused.offsets[row]! + i]!] as const,
  );

test("two sources are aligned and fused, domain by domain, and every row sums to 1", async () => {
  const request = { pivot: PIVOT, sources: [FLINT, SLATE], ...TEXTS };
  const { card, records, notes } = await bench.fuse(request, SHORT);
  expect(card).toMatchObject({ state: "complete", origin: "fuse", pivot: PIVOT, dropped: [] });
  expect(notes).toEqual(["1 texts or turns were longer than 96 tokens and were cut."]);
  expect(card.domains.map(({ domain }) => domain)).toEqual(["drama", "maths", "tale"]);
  expect(records.length).toBe(card.documents);
  expect(records.map(({ document: { at, part } }) => [at, part])).toEqual([
    ...[
      [1, 1],
      [2, 1],
      [3, 1],
      [3, 2],
      [3, 3],
      [4, 1],
    ].slice(0, records.length - 1),
    [4, 1],
  ]);
  const text = (at: number) =>
    records
      .filter(({ document }) => document.at === at)
      .flatMap(({ document }) => document.pieces.map((piece) => piece.text))
      .join("");
  for (const [i, row] of ROWS.entries()) expect(text(i + 1)).toBe(`${row.text}</s>`);
  for (const record of records) {
    for (let row = 0; row < record.tail.length; row++) {
      const sum = entries(record, row).reduce((total, [, value]) => total + value, 0);
      // At most 20 probabilities of f32 and their tail: half an ulp of 1 each.
      expect(Math.abs(sum + record.tail[row]! - 1)).toBeLessThanOrEqual(21 * 2 ** -24);
    }
  }
  const [ember, flint, slate] = card.members as readonly [never, never, never];
  expect(ember).toMatchObject({ model: PIVOT, covered: card.rows, tokens: card.rows });
  expect(flint).toMatchObject({ model: FLINT });
  expect(slate).toMatchObject({ model: SLATE, covered: card.rows });
  // The samples' own table: slate-source knows maths, flint-source drama, of texts like these.
  const winner = (domain: string) => {
    const members = card.domains.find((each) => each.domain === domain)?.members ?? [];
    return members.toSorted((a, b) => b.wins - a.wins)[0]?.model;
  };
  expect([winner("maths"), winner("drama")]).toEqual([SLATE, FLINT]);
}, 120_000);

test("another fusion of the same texts reads no model again", async () => {
  const read: string[] = [];
  const request = { pivot: PIVOT, sources: [SLATE, FLINT], ...TEXTS };
  const onProgress = (label: string) => void read.push(label);
  const { records } = await bench.fuse(request, SHORT, { onProgress });
  expect(read.filter((label) => /reads document|Loading/.test(label))).toEqual([]);
  expect(read.some((label) => label.startsWith("Fusing document"))).toBe(true);
  // And the order of the sources does not show in what is fused.
  const other = await bench.fuse({ ...request, sources: [FLINT, SLATE] }, SHORT);
  for (const [i, record] of records.entries()) {
    expect(record.fused).toEqual(other.records[i]?.fused);
    expect(record.tail).toEqual(other.records[i]?.tail);
    const [first, second, third] = Array.from(record.weights).slice(0, 3);
    expect(Array.from(other.records[i]!.weights).slice(0, 3)).toEqual([first, third, second]);
  }
});

test("a source's probabilities arrive in the pivot's tokens, those of one token added up", async () => {
  const request = { pivot: PIVOT, sources: [FLINT], ...TEXTS };
  const { card, records } = await bench.fuse(request, SHORT);
  const tokenizerOf = async (id: string) =>
    (await bench.parts.openText(await bench.parts.library.open(id))).tokenizer();
  const [pivotTokenizer, sourceTokenizer] = [await tokenizerOf(PIVOT), await tokenizerOf(FLINT)];
  const target = bytesTarget({
    pivot: openVocabulary(pivotTokenizer),
    source: openVocabulary(sourceTokenizer),
    pivotTokenizer,
    sourceTokenizer,
  });
  const { parties } = await bench.parts.fusions.about(card.id);
  const folder = parties[1]?.representation as string;
  let [rows, wouldLose] = [0, 0];
  for (const { number, sources } of records) {
    const [source] = sources as [FusedRecord["sources"][number]];
    for (const row of source.from.keys()) {
      const own = await findOwnRow(bench.parts.records, { folder, number, source, row });
      const arrived = rowOf(source.rows, row).values;
      if (!own || arrived.length === 0) continue;
      const largest = new Map<number, number>();
      let said = 0;
      for (const [i, id] of own.ids.entries()) {
        const probability = Math.exp(own.values[i]! - own.logSum);
        const to = target(id);
        if (to === null) continue;
        said += probability;
        largest.set(to, Math.max(largest.get(to) ?? 0, probability));
      }
      const kept = arrived.reduce((sum, x) => sum + Math.exp(x - source.logSums[row]!), 0);
      // A sum is rounded to f16: half an ulp of a log-probability above -16 is at most 2^-8.
      expect(Math.abs(kept - said)).toBeLessThanOrEqual(2 ** -8 * said);
      const before = [...largest.values()].reduce((sum, x) => sum + x, 0);
      rows += 1;
      if (said - before > 0.05 * said) wouldLose += 1;
    }
  }
  // Of this pair a good part of the rows has entries that become one token.
  expect(wouldLose / rows).toBeGreaterThan(0.05);
});

test("the pivot alone gives the pivot", async () => {
  const { card, records } = await bench.fuse({ pivot: PIVOT, sources: [], ...TEXTS }, SHORT);
  expect(card.members).toMatchObject([{ model: PIVOT, wins: card.rows }]);
  for (const { pivot, fused, tail } of records) {
    expect([...fused.ids]).toEqual([...pivot.ids]);
    for (const [i, value] of fused.values.entries()) {
      const row = Math.floor(i / pivot.k);
      const probability = Math.exp(pivot.logits[i]! - pivot.logSums[row]!);
      // The exponential of a difference of some 20 that is rounded to f32, and that of WGSL: 3 + 2·20 ulp.
      expect(Math.abs(value - probability)).toBeLessThanOrEqual(1e-5);
    }
    expect(tail.every((mass) => mass >= 0 && mass < 1)).toBe(true);
  }
});

describe.each(["studio", "fusellm", "fusechat-v1", "fusechat-v2"] as const)("by %s", (profile) => {
  test("a source with the pivot's own tokenizer aligns to the identity", async () => {
    const twin = await bench.addModel(join("public", "samples", PIVOT), "twin");
    const settings = { ...SHORT, profile, vocabulary: "exact" as const, matrix: false };
    const request = { pivot: PIVOT, sources: [twin], ...TEXTS };
    const { records } = await bench.fuse(request, settings);
    for (const { pivot, sources } of records) {
      const [source] = sources;
      expect(source?.tokens).toEqual(pivot.tokens);
      expect([...(source?.from ?? [])]).toEqual([...pivot.positions]);
      expect([...(source?.rows.ids ?? [])]).toEqual([...pivot.ids]);
      expect([...(source?.rows.values ?? [])]).toEqual([...pivot.logits]);
    }
  });

  test("a source of another tokenizer is fused by the profile's own map", async () => {
    const request = { pivot: PIVOT, sources: [FLINT], ...TEXTS };
    const { card } = await bench.fuse(request, { ...SHORT, profile });
    const [, flint] = card.members;
    expect(flint!.covered).toBeGreaterThan(card.rows / 4);
    expect(flint!.wins + card.members[0]!.wins).toBe(card.rows);
    // FuseLLM reads nothing before a text: its first token has nothing to be told from.
    const begins = profile === "fusellm" ? 0 : card.documents;
    expect(card.rows).toBeGreaterThan(begins);
  }, 60_000);
});

test("a fusion that was broken off anywhere ends with the same bytes", async () => {
  const request = { pivot: PIVOT, sources: [FLINT], ...TEXTS };
  const settings = { ...SHORT, topK: 7, profile: "fusechat-v2" as const };
  const { records: parts } = bench.parts;
  const attempt: FusionAttempt = { job: "broken" };
  // Every so many records written the process dies; representations, groups, fused documents alike.
  const { append } = parts;
  let left = 2;
  Object.assign(parts, {
    append(...args: Parameters<typeof append>) {
      if (left-- === 0) throw new Error("the tab is closed");
      return append(...args);
    },
  });
  let runs = 0;
  for (; ; runs++) {
    left = 2;
    const run = await bench.fuse(request, settings, attempt).catch((error: Error) => error);
    if (!(run instanceof Error)) {
      Object.assign(parts, { append });
      for (const folder of await parts.folders()) {
        if (folder.startsWith("representation/")) await parts.deleteFolder(folder);
      }
      const whole = await bench.fuse(request, settings);
      expect(bytesOf(run.records)).toEqual(bytesOf(whole.records));
      expect({ ...run.card, ...whole.card }).toEqual(whole.card);
      break;
    }
    expect(run.message).toBe("the tab is closed");
  }
  expect(runs).toBeGreaterThan(4);
  expect((await parts.folders()).filter((folder) => folder.startsWith("fuse/"))).toEqual([]);
}, 120_000);

test("a fusion that was begun with raw logits goes on with them", async () => {
  const request = { pivot: PIVOT, sources: [FLINT], ...TEXTS };
  const settings = { ...SHORT, topK: 5 };
  const stop = new AbortController();
  const broken: FusionAttempt = {
    job: "older",
    signal: stop.signal,
    onProgress(label) {
      if (label.includes("reads document 1 ")) stop.abort();
    },
  };
  await expect(bench.fuse(request, settings, broken)).rejects.toThrow();
  const { fusions } = bench.parts;
  const { fusion, documents } = broken.state as NonNullable<FusionAttempt["state"]>;
  const raw = { topK: settings.topK, begins: true, scale: "raw" } as const;
  const folders: string[] = [];
  for (const id of [PIVOT, FLINT]) {
    const tokenizer = (await bench.parts.openText(await bench.parts.library.open(id))).tokenizer();
    folders.push(await representationFolder({ id, tokenizer } as never, documents.hash, raw));
  }
  const { about } = fusions;
  Object.assign(fusions, {
    async about(id: string) {
      const start = await about(id);
      const parties = start.parties.map((each, i) => ({ ...each, representation: folders[i] }));
      return id === fusion ? { ...start, parties } : start;
    },
  });
  const resumed = { job: "older", state: broken.state! };
  const { records } = await bench.fuse(request, settings, resumed);
  Object.assign(fusions, { about });
  for (const folder of folders) {
    expect(await bench.parts.records.count(folder)).toBe(records.length);
  }
  for (const { pivot } of records) expect(Math.max(...pivot.logSums)).toBeGreaterThan(1);
}, 60_000);

test("of a chat the replies are fused, as an evaluation of the pivot counts them", async () => {
  const template =
    "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}" +
    "{{ eos_token if m.role == 'assistant' }}\n{% endfor %}";
  const files = { "chat_template.jinja": new TextEncoder().encode(template) };
  const chatty = await bench.addModel(join("public/samples", PIVOT), "chatty", files);
  const messages = [
    { role: "user", content: "Who is in the wood?" },
    { role: "assistant", content: "Two children and an old woman." },
    { role: "user", content: "And what is 2 + 3?" },
    { role: "assistant", content: "5" },
  ];
  await bench.addDataset("chat.jsonl", lines([{ messages }]));
  const request = { pivot: chatty, sources: [FLINT], datasets: ["chat.jsonl"] };
  const { card, records } = await bench.fuse(request);
  const [record] = records;
  const learned = record?.document.pieces.filter(({ supervised }) => supervised) ?? [];
  expect(learned.map(({ text }) => text)).toEqual([
    " Two children and an old woman.",
    "</s>",
    " 5",
    "</s>",
  ]);
  const checkpoint = await bench.parts.library.open(chatty);
  const { tokenizer, template: own } = await bench.parts.openText(checkpoint);
  const row = { kind: "chat", domain: null, followUps: [], messages } as const;
  const readable = await encodeRow(row, tokenizer(), own);
  const { tokens, nats } = await bench.parts.modelCache.use(chatty, { tokens: 256 }, (open) =>
    scoreRow(open.gpu, open.model, readable!, { signal: new AbortController().signal }),
  );
  expect(card.rows).toBe(tokens);
  // The same sum of f32 in another order, a rounding each.
  expect(Math.abs(card.members[0]!.nats - nats)).toBeLessThanOrEqual(1e-5 * nats);
});

test("two tabs do not write one representation", async () => {
  const locks = locksInMemory();
  const here = createFuseKind({ ...bench.parts, locks });
  const taken: string[] = [];
  const { take } = locks;
  Object.assign(locks, { take: (name: string) => taken.push(name) && take(name) });
  const request = { pivot: PIVOT, sources: [], ...TEXTS };
  const run = () => bench.fuse(request, { ...SHORT, topK: 3 }, {}, here);
  await run();
  expect(taken).toHaveLength(1);
  const giveBack = await take(taken[0]!);
  await expect(run()).rejects.toMatchObject({ code: "busy" });
  giveBack?.();
  await run();
});
