import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { openLibrary } from "../../checkpoint/library/databaseLibrary.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { openDatabase } from "../../storage/database.ts";
import { storeValues } from "../../storage/values.ts";
import { openDatasets } from "./datasetLibrary.ts";

function make() {
  const database = openDatabase(new IDBFactory());
  const values = storeValues(database.store("values"), 8);
  return { database, values, open: () => openDatasets(database, values) };
}

const FACTS = { kind: "text", rows: 1, problems: [], problemCount: 0 } as const;
const BYTES = Uint8Array.from({ length: 21 }, (_, i) => i);
const FILE = { name: "a.jsonl", source: bytesInMemory(BYTES), facts: FACTS };
const OPTIONS = { signal: new AbortController().signal, onBytes: () => undefined };

test("a dataset's bytes come back as they were, and survive the library's tidying", async () => {
  const { database, values, open } = make();
  const { id } = await (await open()).add(FILE, OPTIONS);
  const library = await openLibrary(database, values);
  const again = await (await open()).open(id);
  expect(again).toMatchObject({ file: "a.jsonl", card: { name: "a.jsonl", byteLength: 21 } });
  expect(await again.source.read(5, 16)).toEqual(new Uint8Array(BYTES.subarray(5)));
  expect(await library.list()).toEqual([]);
  await expect(library.card(id)).rejects.toMatchObject({ code: "missing-file" });
});

test("two files of one name are two datasets", async () => {
  const datasets = await make().open();
  await datasets.add(FILE, OPTIONS);
  await datasets.add(FILE, OPTIONS);
  expect((await datasets.list()).map(({ name }) => name).sort()).toEqual(["a.jsonl", "a.jsonl 2"]);
});

test("a copy that is stopped leaves nothing behind", async () => {
  const { values, open } = make();
  const datasets = await open();
  const stopped = datasets.add(FILE, { ...OPTIONS, signal: AbortSignal.abort() });
  await expect(stopped).rejects.toThrow();
  expect(await datasets.list()).toEqual([]);
  expect(await values.folders()).toEqual([]);
});

test("a deleted dataset frees its bytes and cannot be opened", async () => {
  const { values, open } = make();
  const datasets = await open();
  const { id } = await datasets.add(FILE, OPTIONS);
  await datasets.delete(id);
  expect(await values.folders()).toEqual([]);
  await expect(datasets.open(id)).rejects.toMatchObject({ code: "missing-file" });
  await expect(datasets.delete(id)).rejects.toMatchObject({ code: "missing-file" });
});
