import "fake-indexeddb/auto";
import type { UseStore } from "idb-keyval";
import { afterEach, expect, test, vi } from "vitest";
import { openDatabase } from "./database.ts";
import { ValueCache } from "./valueCache.ts";
import { storeValues } from "./values.ts";

const VALUE = 64;
afterEach(() => {
  vi.useRealTimers();
});

/** The store, counting the bytes of values that are read from it. */
function counting(use: UseStore) {
  const count = { bytes: 0 };
  const counted: UseStore = (mode, callback) =>
    use(mode, (store) => {
      const watched = new Proxy(store, {
        get(real, name: keyof IDBObjectStore) {
          const member = real[name];
          if (typeof member !== "function") return member;
          if (name !== "get") return member.bind(real);
          return (key: IDBValidKey) => {
            const request = real.get(key);
            request.addEventListener("success", () => {
              if (request.result instanceof Uint8Array) count.bytes += request.result.byteLength;
            });
            return request;
          };
        },
      });
      return callback(watched);
    });
  return { count, counted };
}

test.each([2, 12, 13, 30])(
  "of %i sources read side by side every byte is loaded once",
  async (sources) => {
    const { count, counted } = counting(
      openDatabase(indexedDB, `cache ${sources}`).store("values"),
    );
    const values = storeValues(counted, VALUE);
    const length = 5 * VALUE + 7;
    const files = Array.from({ length: sources }, (_, i) => `model-${i}`);
    for (const folder of files) {
      const sink = await values.sink(folder, "a", length);
      await sink.append(new Uint8Array(length).fill(folder.length));
      await sink.flush();
    }
    count.bytes = 0;
    const opened = files.map((folder) => values.source(folder, "a", length));
    const tile = 20; // lies across two values now and then
    for (let at = 0; at < length; at += 3 * tile) {
      // Three tiles under way, as a merge has them.
      const starts = [at, at + tile, at + 2 * tile].filter((start) => start < length);
      await Promise.all(
        starts.flatMap((start) =>
          opened.map((source) => source.read(start, Math.min(tile, length - start))),
        ),
      );
    }
    expect(count.bytes / (sources * length)).toBe(1);
  },
);

const value = async () => new Uint8Array(1);

test("shards that are read one after the other do not pile up", () => {
  const cache = new ValueCache();
  for (let shard = 0; shard < 100; shard++) {
    for (let index = 0; index < 60; index++) {
      for (const model of ["a", "b", "c"]) cache.get(`${model} ${shard}`, index, value);
    }
    expect(cache.size).toBeLessThanOrEqual(3 * 2 + 12);
  }
});

test("however many files are read, memory has a bound", () => {
  const cache = new ValueCache();
  for (let round = 0; round < 3; round++) {
    for (let file = 0; file < 500; file++) cache.get(`${file}`, round, value);
    expect(cache.size).toBeLessThanOrEqual(64);
  }
});

test("a load that fails is tried again; what changed is loaded anew", async () => {
  const cache = new ValueCache();
  await expect(cache.get("a", 0, () => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
  expect(await cache.get("a", 0, value)).toEqual(new Uint8Array(1));
  cache.forget("a", 0);
  expect(await cache.get("a", 0, async () => new Uint8Array(2))).toEqual(new Uint8Array(2));
});

test("values that nobody reads any more are let go", () => {
  vi.useFakeTimers();
  const cache = new ValueCache();
  cache.get("a", 0, value);
  vi.advanceTimersByTime(9_000);
  cache.get("a", 1, value);
  vi.advanceTimersByTime(9_000);
  expect(cache.size).toBe(2);
  vi.advanceTimersByTime(20_000);
  expect(cache.size).toBe(0);
});
