import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 as zlibCrc32 } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { crc32 } from "../engine/fuse/dataset/recordFile.ts";
import { openRecordFiles } from "./recordFiles.ts";

const made: string[] = [];
async function freshRoot() {
  const root = await mkdtemp(join(tmpdir(), "records-"));
  made.push(root);
  return root;
}
afterEach(async () => {
  for (const root of made.splice(0)) await rm(root, { recursive: true });
});
const record = (...bytes: number[]) => new Uint8Array(bytes);
const onlyFile = async (root: string) => join(root, (await readdir(root))[0] as string);

test("records survive the end of the process", async () => {
  const root = await freshRoot();
  const first = openRecordFiles(root);
  expect(await first.count("a/b c")).toBe(0);
  expect(await first.append("a/b c", [record(1), record(2, 2)])).toBe(0);
  await first.append("z", [record(7)]);
  await first.close();

  const second = openRecordFiles(root);
  expect([...(await second.folders())].sort()).toEqual(["a/b c", "z"]);
  expect(await second.count("a/b c")).toBe(2);
  expect(await second.append("a/b c", [record(), record(3)])).toBe(2);
  expect(await second.read("a/b c", 1, 9)).toEqual([record(2, 2), record(), record(3)]);
  await second.deleteFolder("a/b c");
  expect(await second.folders()).toEqual(["z"]);
  expect(await second.count("a/b c")).toBe(0);
  await second.close();
});

test("calls side by side share one file", async () => {
  const store = openRecordFiles(await freshRoot());
  const [none, first, second] = await Promise.all([
    store.read("a", 0, 9),
    store.append("a", [record(1)]),
    store.append("a", [record(2)]),
    store.count("a"),
  ]);
  expect(none).toEqual([]);
  expect([first, second].sort()).toEqual([0, 1]);
  expect(await store.read("a", 0, 9)).toEqual([record(1), record(2)]);
  await store.close();
});

test.each([1, 4, 8, 9, 10])("a last record cut by %i bytes is dropped", async (cut) => {
  const root = await freshRoot();
  const store = openRecordFiles(root);
  await store.append("a", [record(1), record(2, 2, 2)]); // the last frame has 11 bytes
  await store.close();
  const path = await onlyFile(root);
  const whole = await readFile(path);
  await truncate(path, whole.byteLength - cut);

  const again = openRecordFiles(root);
  expect(await again.read("a", 0, 9)).toEqual([record(1)]);
  await again.append("a", [record(2, 2, 2)]);
  await again.close();
  expect(await readFile(path)).toEqual(whole);
});

test("a damaged record and what follows it are dropped", async () => {
  const root = await freshRoot();
  const store = openRecordFiles(root);
  await store.append("a", [record(1), record(2), record(3)]);
  await store.close();
  const path = await onlyFile(root);
  const bytes = await readFile(path);
  bytes[bytes.byteLength - 10] = 99; // the second record's only byte
  await writeFile(path, bytes);
  const again = openRecordFiles(root);
  expect(await again.read("a", 0, 9)).toEqual([record(1)]);
  await again.close();
});

test("a length that nothing could have is not believed, and a strange file is left alone", async () => {
  const root = await freshRoot();
  const store = openRecordFiles(root);
  await store.append("a", [record(1)]);
  await store.close();
  const path = await onlyFile(root);
  await appendFile(path, record(255, 255, 255, 255, 0, 0, 0, 0));
  const again = openRecordFiles(root);
  expect(await again.count("a")).toBe(1);
  await again.close();

  await writeFile(path, "something else");
  const strange = openRecordFiles(root);
  await expect(strange.count("a")).rejects.toMatchObject({ code: "bad-header" });
  expect(await readFile(path, "utf8")).toBe("something else");
});

test("the checksum is zlib's", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) & 255);
  expect(crc32(bytes)).toBe(zlibCrc32(bytes));
  expect(crc32(record())).toBe(0);
});
