import { FUSION_DEFAULTS } from "../../contract/index.ts";
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { openDatabase } from "../../storage/database.ts";
import { encodeFused } from "./codec.ts";
import { type FusionStart, storedFusionCatalogue } from "./fusionCatalogue.ts";
import { openFusions } from "./fusions.ts";
import { storeRecords } from "./recordStore.ts";
import { makeRecord } from "./testRecords.ts";

let databases = 0;
function freshLibrary() {
  const database = openDatabase(indexedDB, `fusions ${++databases}`);
  const records = storeRecords(database.store("records"));
  const catalogue = storedFusionCatalogue(database);
  return { records, open: () => openFusions(catalogue, records) };
}

const party = (model: string, representation: string | null) => ({
  model,
  id: null,
  representation,
});
const START: FusionStart = {
  name: "tales",
  origin: "fuse",
  vocabSize: 50,
  settings: FUSION_DEFAULTS.studio,
  parties: [party("pivot", "said/pivot"), party("one", "said/one"), party("two", "said/two")],
};
const DROPPED = [{ reason: "no supervised token", count: 2 }];
const record = (seed: number, domain: string | null = null) => makeRecord({ seed, domain });

test("documents come back, and the card adds them up, by domain too", async () => {
  const { open } = freshLibrary();
  const library = open();
  const writer = await library.begin(START);
  const made = [record(0, "tales"), record(3, "news"), record(4, "tales"), record(9)];
  await writer.append(made.slice(0, 1));
  await writer.append(made.slice(1));
  expect((await library.list())[0]).toMatchObject({ state: "partial", documents: 4, dropped: [] });
  const card = await writer.seal(DROPPED);
  expect(await open().list()).toEqual([card]);

  const sum = (pick: (each: (typeof made)[number]) => number) =>
    made.reduce((total, each) => total + pick(each), 0);
  expect(card).toMatchObject({
    name: "tales",
    state: "complete",
    origin: "fuse",
    pivot: null,
    dropped: DROPPED,
    documents: 4,
    rows: sum(({ pivot }) => pivot.positions.length),
    bytes: sum(({ supervisedBytes }) => supervisedBytes),
    byteLength: sum((each) => encodeFused(each).byteLength),
  });
  const [pivot, one] = card.members;
  expect(pivot).toMatchObject({ model: "pivot", wins: card.rows, covered: card.rows });
  const nats = sum((each) => each.sources[0]?.scored.nats ?? Number.NaN);
  expect(one?.nats).toBeCloseTo(nats, 9);
  expect(one?.bitsPerByte).toBeCloseTo(nats / card.bytes / Math.LN2, 9);
  const covered = sum(({ sources }) => sources[0]!.from.filter((at) => at >= 0).length);
  expect(one?.covered).toBe(covered);
  const reasons = Object.values(one?.reasons ?? {}).reduce((total, count) => total + count, 0);
  expect(reasons).toBe(card.rows);

  expect(card.domains.map(({ domain, documents }) => [domain, documents])).toEqual([
    ["news", 1],
    ["tales", 2],
    [null, 1],
  ]);
  expect(await library.record(card.id, 2)).toEqual(made[2]);
  const page = await library.documents(card.id, 1, 2);
  expect(page.map(({ index, domain }) => [index, domain])).toEqual([
    [1, "news"],
    [2, "tales"],
  ]);
  expect(page[0]).toMatchObject({ excerpt: "A cat sat on the mat and it was glad.", winner: 0 });
  expect(await library.documents(card.id, 4, 9)).toEqual([]);
});

test("writing goes on where it was, even where summaries were lost on the way", async () => {
  const { records, open } = freshLibrary();
  const first = await open().begin(START);
  await first.append([record(0), record(1)]);
  await records.append(`fusion/${first.id}`, [encodeFused(record(5))]); // then the tab closed
  const library = open();
  const again = await library.resume(first.id);
  expect(again).toMatchObject({ documents: 3, lastNumber: 5 });
  await again.append([record(6)]);
  const card = await again.seal([]);
  expect(card.documents).toBe(4);
  expect(await library.documents(card.id, 0, 9)).toHaveLength(4);

  const straight = await library.begin(START);
  await straight.append([record(0), record(1), record(5), record(6)]);
  const { id, name, createdAt, ...rest } = await straight.seal([]);
  expect(name).toBe("tales 2");
  expect(card).toMatchObject(rest);
  await expect(library.resume(card.id)).rejects.toMatchObject({ code: "usage" });
});

test("deleting frees the documents, and what was said unless another fusion uses it", async () => {
  const { records, open } = freshLibrary();
  const library = open();
  for (const { representation } of START.parties) {
    await records.append(representation as string, [new Uint8Array([1])]);
  }
  const first = await library.begin(START);
  await first.append([record(0)]);
  const second = await library.begin({ ...START, parties: START.parties.slice(0, 2) });
  await second.append([record(0)]);
  await library.delete(first.id);
  const left = [`fusion/${second.id}`, `fusion/${second.id}/summaries`, "said/one", "said/pivot"];
  expect([...(await records.folders())].sort()).toEqual(left);
  await expect(first.append([record(1)])).rejects.toMatchObject({ code: "missing-file" });
  await expect(library.card(first.id)).rejects.toMatchObject({ code: "missing-file" });
  await library.delete(second.id);
  expect(await records.folders()).toEqual([]);
  expect(await library.list()).toEqual([]);
});
