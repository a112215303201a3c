import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type DroppedFile,
  type Engine,
  FUSION_DEFAULTS,
  type FusionCard,
  type FusionSettings,
  type JobCard,
  type JobRequest,
} from "../engine/contract/index.ts";
import { folderInMemory } from "../engine/storage/testFolder.ts";
import { droppedFile, dropSample, openTestEngine, runJob } from "./engineTestParts.ts";

const MODELS = ["ember-base", "flint-source", "slate-source"];
const ROWS = [
  { text: "Once upon a time there was a miller who had three sons — and a cat.", category: "tale" },
  { text: "ROMEO. But soft, what light through yonder window breaks?", category: "drama" },
  { text: "“Nein,” said the wolf, “not by the hair…” ", category: "tale" },
];

const root = folderInMemory("private", { sync: true });
const storage = { getDirectory: async () => root.handle } as unknown as StorageManager;
let engine: Engine;
let ids: Readonly<Record<string, string>>;
let fused: FusionCard;

const run = (request: JobRequest) => runJob(engine, request);

const cardOf = async (id: string | undefined) =>
  (await engine.listFusions()).find((card) => card.id === id) as FusionCard;

async function fuse(changes: Partial<FusionSettings>, name: string): Promise<FusionCard> {
  const { studio } = FUSION_DEFAULTS;
  const [dataset] = await engine.listDatasets();
  const [pivot, ...sources] = MODELS.map((model) => ids[model] as string);
  const job = await run({
    kind: "fuse",
    pivot: pivot as string,
    sources,
    name,
    datasets: [dataset!.id],
    settings: { ...studio, ...changes },
  });
  expect(job).toMatchObject({ state: "done", failure: null });
  return cardOf(job.result?.fusion);
}

beforeAll(async () => {
  engine = await openTestEngine(storage);
  const dropped = await Promise.all(MODELS.map(dropSample));
  await run({ kind: "import", files: dropped.flat() });
  ids = Object.fromEntries((await engine.listModels()).map(({ name, id }) => [name, id]));
  const lines = ROWS.map((row) => JSON.stringify(row)).join("\n");
  await run({ kind: "dataset", files: [droppedFile("rows.jsonl", lines)] });
  fused = await fuse({ fusion: "avgce", level: "token" }, "tales");
}, 180_000);
afterAll(() => expect(root.files()).toEqual({}));

test("a fusion of the library is listed, page by page", async () => {
  expect(fused).toMatchObject({ name: "tales", state: "complete", pivot: ids["ember-base"] });
  const cards = await engine.fusedDocuments({ fusion: fused.id, from: 0, count: 10 });
  expect(cards).toHaveLength(fused.documents);
  const rows = cards.reduce((sum, card) => sum + card.rows, 0);
  expect(rows).toBe(fused.rows);
  const wins = fused.members.reduce((sum, member) => sum + member.wins, 0);
  expect(wins).toBe(fused.rows);
  const second = await engine.fusedDocuments({ fusion: fused.id, from: 1, count: 1 });
  expect(second).toEqual(cards.slice(1, 2));
  expect(cards[1]).toMatchObject({ domain: "drama", dataset: "rows.jsonl" });
  expect(cards[1]?.excerpt).toContain("what light through yonder");
});

test("a document's tokens lie where they belong in its text, side by side", async () => {
  for (let index = 0; index < fused.documents; index++) {
    const document = await engine.fusedDocument({ fusion: fused.id, document: index });
    const { text, pivotTokens, rowOf, sources, winners } = document;
    for (const tokens of [pivotTokens, ...sources.map((source) => source.tokens)]) {
      expect(tokens.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
      for (const token of tokens) {
        if (token.start < token.end) expect(token.text).toBe(text.slice(token.start, token.end));
        else expect(token.text).not.toBe("");
      }
    }
    expect(winners).toHaveLength(document.rows);
    expect(rowOf.filter((row) => row !== null)).toEqual(winners.map((_, row) => row));
    for (const [i, { links, tokens }] of sources.entries()) {
      expect(links).toHaveLength(pivotTokens.length);
      const covered = links.filter(({ from }) => from !== null);
      expect(covered).toHaveLength(document.covered[i] as number);
      for (const { from, reason, sameEnd } of covered) {
        expect({ reason, sameEnd }).toEqual({ reason: "same end", sameEnd: from });
      }
      for (const [t, { from }] of links.entries()) {
        if (from === null) continue;
        expect(tokens[from]?.end).toBe(pivotTokens[t]?.end);
      }
    }
  }
});

test("a row tells every distribution, with the texts of its tokens", async () => {
  const at = { fusion: fused.id, document: 0 };
  const { rowOf, pivotTokens, rows } = await engine.fusedDocument(at);
  let own = 0;
  for (let row = 0; row < rows; row++) {
    const { members, fused: mixed, gold, position, winner } = await engine.fusedRow({ ...at, row });
    expect(rowOf[position]).toBe(row);
    expect(gold.id).toBe(pivotTokens[position + 1]?.id);
    const weights = members.map(({ weight }) => weight);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    expect(winner).toBe(weights.indexOf(Math.max(...weights)));
    expect(members.map(({ model }) => model)).toEqual(MODELS);
    expect(members[0]).toMatchObject({ own: null, reason: null });
    for (const distribution of [mixed, ...members.flatMap((each) => each.aligned ?? [])]) {
      const sum = distribution.entries.reduce((a, { probability }) => a + probability, 0);
      expect(sum + distribution.tail).toBeCloseTo(1, 5);
      for (const { text } of distribution.entries) expect(text).not.toMatch(/^(<id \d+>)?$/);
    }
    for (const { own: said, aligned, metric, weight, reason } of members.slice(1)) {
      expect(said === null).toBe(aligned === null);
      expect(weight > 0).toBe(aligned !== null);
      expect(metric === null).toBe(aligned === null);
      expect(reason).not.toBeNull();
      if (!said || !aligned) continue;
      own += 1;
      // What the map carries over keeps its probability; what it loses is in the tail. A sum of entries
      // is rounded to f16: ln p by 2^-11 of itself, all of them by 2^-11 of their entropy together.
      const rounded = 2 ** -11 * Math.log(said.entries.length + 1);
      expect(said.tail).toBeLessThanOrEqual(aligned.tail + rounded);
      expect(said.nats).toBe(aligned.nats);
    }
    // The mixture, from what the row itself tells.
    for (const { id, probability } of mixed.entries) {
      const parts = members.map(({ aligned, weight }) => {
        const found = aligned?.entries.find((entry) => entry.id === id);
        return weight * (found?.probability ?? 0);
      });
      expect(probability).toBeCloseTo(
        parts.reduce((a, b) => a + b),
        5,
      );
    }
  }
  expect(own).toBeGreaterThan(5);
  await expect(engine.fusedRow({ ...at, row: rows })).rejects.toMatchObject({ code: "usage" });
  const beyond = { fusion: fused.id, document: fused.documents };
  await expect(engine.fusedDocument(beyond)).rejects.toMatchObject({ code: "missing-file" });
});

async function exported(format: "studio" | "fusellm" | "fusechat-v1" | "fusechat-v2", id: string) {
  const job = await run({ kind: "export-fusion", fusion: id, format, folder: null });
  expect(job).toMatchObject({ state: "done", failure: null });
  const name = job.result?.downloads[0] as string;
  const bytes = root.files()[`exports/${job.id}/${name}`] as Uint8Array;
  await engine.controlJob({ job: job.id, do: "delete" });
  return droppedFile(name, bytes);
}

async function imported(file: DroppedFile, pivot = "ember-base"): Promise<JobCard> {
  const request = { kind: "import-fusion", files: [file], name: "back" } as const;
  return run({ ...request, pivot: ids[pivot] as string });
}

test("a fusion comes back from its own file as it was, but for what models said themselves", async () => {
  const file = await exported("studio", fused.id);
  expect(file.path).toBe("tales.fused");
  const job = await imported(file);
  expect(job).toMatchObject({ state: "done", failure: null });
  const back = await cardOf(job.result?.fusion);
  const { id, name, origin, createdAt, ...same } = fused;
  expect(back).toMatchObject({ ...same, name: "back", origin: "import" });
  for (let document = 0; document < fused.documents; document++) {
    const [before, after] = await Promise.all([
      engine.fusedRow({ fusion: fused.id, document, row: 1 }),
      engine.fusedRow({ fusion: back.id, document, row: 1 }),
    ]);
    const members = before.members.map((member) => ({ ...member, own: null }));
    expect(after).toEqual({ ...before, members });
  }
});

test.each(["fusellm", "fusechat-v1", "fusechat-v2"] as const)(
  "a fusion comes back from Parquet with the fields of %s, fused anew by its rules",
  async (format) => {
    const job = await imported(await exported(format, fused.id));
    expect(job).toMatchObject({ state: "done", failure: null });
    const back = await cardOf(job.result?.fusion);
    const { documents, rows } = fused;
    expect(back).toMatchObject({ origin: "import", documents, rows, dropped: [] });
    expect(back.settings.profile).toBe(format);
    const sources = format === "fusechat-v2" ? 1 : 2;
    expect(back.members).toHaveLength(1 + sources);
    expect(back.members[0]?.natsPerToken).toBeCloseTo(fused.members[0]?.natsPerToken as number, 5);
    const before = await engine.fusedRow({ fusion: fused.id, document: 0, row: 2 });
    const after = await engine.fusedRow({ fusion: back.id, document: 0, row: 2 });
    expect(after.gold).toEqual(before.gold);
    const order = (row: typeof before) => row.members[0]?.aligned?.entries.map(({ id }) => id);
    expect(order(after)).toEqual(order(before));
    await engine.deleteFusion(back.id);
  },
);

test("what cannot be taken in is refused by name", async () => {
  const own = await exported("studio", fused.id);
  const cut = new Uint8Array(await own.file.slice(0, own.file.size - 3).arrayBuffer());
  const torn = await imported(droppedFile("torn.fused", cut));
  expect(torn).toMatchObject({ state: "failed", failure: { code: "truncated" } });
  const parquet = await exported("fusechat-v2", fused.id);
  const bytes = new Uint8Array(await parquet.file.arrayBuffer());
  const none = await imported(droppedFile("half.parquet", bytes.slice(0, 300)));
  expect(none).toMatchObject({ state: "failed", failure: { code: "bad-header" } });
  await expect(
    engine.startJob({
      kind: "import-fusion",
      files: [own, own],
      name: "two",
      pivot: ids["ember-base"] as string,
    }),
  ).rejects.toMatchObject({ code: "usage" });
});

test("a deleted fusion frees what only it used", async () => {
  const other = await fuse({ fusion: "mince" }, "other");
  const rowOfOther = { fusion: other.id, document: 0, row: 0 };
  await engine.deleteFusion(fused.id);
  const { members } = await engine.fusedRow(rowOfOther);
  expect(members.some(({ own }) => own !== null)).toBe(true); // shared with the deleted one
  for (const { id } of await engine.listFusions()) await engine.deleteFusion(id);
  expect(await engine.listFusions()).toEqual([]);
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("fusestudio");
    request.onsuccess = () => resolve(request.result);
  });
  const left = await new Promise<IDBValidKey[]>((resolve) => {
    const request = database.transaction("records").objectStore("records").getAllKeys();
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  expect(left).toEqual([]);
});
