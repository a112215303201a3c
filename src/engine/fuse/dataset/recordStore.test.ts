import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { openDatabase } from "../../storage/database.ts";
import { type RecordStore, readRecord, readRecords, storeRecords } from "./recordStore.ts";

let databases = 0;
const freshStore = (): RecordStore =>
  storeRecords(openDatabase(indexedDB, `records ${++databases}`).store("records"));
const record = (...bytes: number[]) => new Uint8Array(bytes);

test("records come back in order, by folder", async () => {
  const store = freshStore();
  expect(await store.count("a")).toBe(0);
  expect(await store.append("a", [record(1), record(2, 2)])).toBe(0);
  expect(await store.append("b", [record(9)])).toBe(0);
  expect(await store.append("a", [record()])).toBe(2);
  expect(await store.count("a")).toBe(3);
  expect(await store.read("a", 1, 5)).toEqual([record(2, 2), record()]);
  expect(await readRecord(store, "b", 0)).toEqual(record(9));
  await expect(readRecord(store, "b", 1)).rejects.toMatchObject({ code: "missing-file" });
});

test("a folder is freed without its neighbours, whatever their names", async () => {
  const store = freshStore();
  const folders = ["a", "a/b", "a b", "aa", "b"];
  for (const folder of folders) await store.append(folder, [record(1), record(2)]);
  expect([...(await store.folders())].sort()).toEqual([...folders].sort());
  await store.deleteFolder("a");
  expect([...(await store.folders())].sort()).toEqual(folders.filter((f) => f !== "a").sort());
  expect(await store.count("a")).toBe(0);
  expect(await store.append("a", [record(3)])).toBe(0);
});

test("more than a batch is read to the end", async () => {
  const store = freshStore();
  const many = Array.from({ length: 200 }, (_, i) => record(i & 255));
  await store.append("a", many);
  const found: Uint8Array[] = [];
  for await (const bytes of readRecords(store, "a", 3)) found.push(bytes);
  expect(found).toEqual(many.slice(3));
});
