import "fake-indexeddb/auto";
import type { UseStore } from "idb-keyval";
import { get, set } from "idb-keyval";
import { expect, test } from "vitest";
import type { ByteSink } from "../core/bytes.ts";
import { openDatabase } from "./database.ts";
import { storeValues } from "./values.ts";

const VALUE = 64; // bytes; the studio's 16 MiB would only make the tests slow

let databases = 0;
function freshStore(): UseStore {
  return openDatabase(indexedDB, `values ${++databases}`).store("values");
}
/** Bytes that differ from place to place. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 255);
}
async function write(sink: ByteSink, bytes: Uint8Array<ArrayBuffer>, piece: number) {
  for (let at = 0; at < bytes.length; at += piece) {
    await sink.append(bytes.slice(at, at + piece));
  }
  await sink.flush();
}
/** The store with a disk that is full after `room` writes. */
function fullAfter(use: UseStore, room: number): UseStore {
  let writes = 0;
  return (mode, callback) => {
    if (mode === "readwrite" && ++writes > room) {
      return Promise.reject(new DOMException("disk full", "QuotaExceededError"));
    }
    return use(mode, callback);
  };
}

test.each([0, 1, VALUE - 1, VALUE, VALUE + 1, 5 * VALUE + 3])(
  "%i bytes written in uneven pieces are read back the same, at every range",
  async (length) => {
    const values = storeValues(freshStore(), VALUE);
    const bytes = pattern(length);
    await write(await values.sink("m", "a.bin", length), bytes, 13);
    const source = values.source("m", "a.bin", length);
    expect(source.byteLength).toBe(length);
    for (let start = 0; start <= length; start += 29) {
      for (const end of [start, Math.min(length, start + 1), length]) {
        expect(await source.read(start, end - start)).toEqual(bytes.slice(start, end));
      }
    }
  },
);

test("a value is read as the caller's own: writing into it harms nobody", async () => {
  const values = storeValues(freshStore(), VALUE);
  await write(await values.sink("m", "a", 10), pattern(10), 10);
  const source = values.source("m", "a", 10);
  (await source.read(0, 10)).fill(9);
  expect(await source.read(0, 10)).toEqual(pattern(10));
});

test("a half-written file goes on where its last flush was, also within a value", async () => {
  const use = freshStore();
  const bytes = pattern(3 * VALUE + 5);
  const first = await storeValues(use, VALUE).sink("m", "a", bytes.length);
  await first.append(bytes.slice(0, VALUE + 20));
  await first.flush();
  await first.append(bytes.slice(VALUE + 20, VALUE + 30)); // lost with the tab

  const values = storeValues(use, VALUE);
  const second = await values.sink("m", "a", bytes.length);
  expect(second.durableBytes).toBe(VALUE + 20);
  await write(second, bytes.slice(second.durableBytes), 50);
  expect(second.durableBytes).toBe(bytes.length);
  expect(await values.source("m", "a", bytes.length).read(0, bytes.length)).toEqual(bytes);
});

test("a damaged last value is written again instead of being built upon", async () => {
  const use = freshStore();
  const bytes = pattern(2 * VALUE);
  const first = await storeValues(use, VALUE).sink("m", "a", bytes.length);
  await first.append(bytes.slice(0, VALUE + 20));
  await first.flush();
  await set(["m", "a", 1], pattern(20).fill(0), use);
  const second = await storeValues(use, VALUE).sink("m", "a", bytes.length);
  expect(second.durableBytes).toBe(VALUE);
});

test.each([
  ["changed", pattern(VALUE).fill(1), /hash differs.*import it again/],
  ["shortened", pattern(VALUE - 1), /hash differs.*import it again/],
  ["cleared", undefined, /are gone.*import it again/],
])("a stored value that was %s names the file and the byte", async (_, bytes, message) => {
  const use = freshStore();
  const values = storeValues(use, VALUE);
  await write(await values.sink("m", "model.safetensors", 3 * VALUE), pattern(3 * VALUE), VALUE);
  await set(["m", "model.safetensors", 1], bytes, use);
  const source = values.source("m", "model.safetensors", 3 * VALUE);
  expect(await source.read(0, VALUE)).toEqual(pattern(VALUE));
  const reading = source.read(VALUE - 1, 2);
  await expect(reading).rejects.toMatchObject({
    code: "truncated",
    details: { file: "model.safetensors", start: VALUE },
  });
  await expect(reading).rejects.toThrow(message);
});

test("a full disk is `quota` with the bytes still needed, and what was written stays", async () => {
  const use = freshStore();
  const bytes = pattern(4 * VALUE);
  const sink = await storeValues(fullAfter(use, 2), VALUE).sink("m", "a", bytes.length);
  await expect(write(sink, bytes, VALUE)).rejects.toMatchObject({
    code: "quota",
    details: { bytesNeeded: 2 * VALUE },
  });
  const values = storeValues(use, VALUE);
  const again = await values.sink("m", "a", bytes.length);
  expect(again.durableBytes).toBe(2 * VALUE);
  await write(again, bytes.slice(2 * VALUE), 10);
  expect(await values.source("m", "a", bytes.length).read(0, bytes.length)).toEqual(bytes);
});

test("a read past the end is refused before anything is allocated for it", async () => {
  const values = storeValues(freshStore(), VALUE);
  await write(await values.sink("m", "a", 10), pattern(10), 10);
  await expect(values.source("m", "a", 10).read(5, 2 ** 50)).rejects.toMatchObject({
    code: "truncated",
  });
});

test("deleting a folder frees all its values and touches no other", async () => {
  const use = freshStore();
  const values = storeValues(use, VALUE);
  for (const [folder, path] of [
    ["m", "a"],
    ["m", "onnx/b"],
    ["m2", "a"],
  ] as const) {
    await write(await values.sink(folder, path, 100), pattern(100), 100);
  }
  await values.deleteFolder("m");
  expect(await values.folders()).toEqual(["m2"]);
  expect(await get(["m", "a", 0], use)).toBeUndefined();
  expect(await values.source("m2", "a", 100).read(0, 100)).toEqual(pattern(100));
});

test("cutting keeps the values before the cut", async () => {
  const values = storeValues(freshStore(), VALUE);
  await write(await values.sink("m", "a", 3 * VALUE), pattern(3 * VALUE), VALUE);
  await values.cut("m", "a", 1);
  expect((await values.marks("m", "a")).length).toBe(1);
  expect((await values.sink("m", "a", 3 * VALUE)).durableBytes).toBe(VALUE);
});

test("a value after a gap does not count as stored", async () => {
  const use = freshStore();
  const values = storeValues(use, VALUE);
  await write(await values.sink("m", "a", 3 * VALUE), pattern(3 * VALUE), VALUE);
  await use("readwrite", async (store) => void store.delete(["m", "a", "mark", 1]));
  expect((await values.marks("m", "a")).length).toBe(1);
});
