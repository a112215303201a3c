import "fake-indexeddb/auto";
import { get, set } from "idb-keyval";
import { expect, test } from "vitest";
import { openDatabase, STORES, storageError } from "./database.ts";

let databases = 0;
const freshName = () => `database ${++databases}`;

test("every store keeps its own values", async () => {
  const database = openDatabase(indexedDB, freshName());
  for (const name of STORES) await set("key", name, database.store(name));
  for (const name of STORES) expect(await get("key", database.store(name))).toBe(name);
});

test("a database of the first version keeps everything and gains the new store", async () => {
  const name = freshName();
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const store of ["values", "catalogue", "journal", "facts", "settings"]) {
        request.result.createObjectStore(store).put(`old ${store}`, "key");
      }
    };
    request.onsuccess = () => resolve(request.result.close());
    request.onerror = () => reject(request.error);
  });
  const database = openDatabase(indexedDB, name);
  for (const store of STORES) {
    const kept = store === "records" ? undefined : `old ${store}`;
    expect(await get("key", database.store(store))).toBe(kept);
  }
});

test("a failed open is `permission` and is tried again by the next call", async () => {
  let fails = true;
  const failed = () => {
    const request = { error: new DOMException("no", "UnknownError"), onerror: () => undefined };
    queueMicrotask(() => request.onerror());
    return request;
  };
  const factory = new Proxy(indexedDB, {
    get: (target, key) =>
      key === "open" && fails ? failed : Reflect.get(target, key).bind(target),
  });
  const store = openDatabase(factory, freshName()).store("settings");
  await expect(get("a", store)).rejects.toMatchObject({ code: "permission" });
  fails = false;
  await set("a", 1, store);
  expect(await get("a", store)).toBe(1);
});

test("a connection that was closed under us is opened again", async () => {
  const name = freshName();
  const opened: IDBDatabase[] = [];
  const factory = new Proxy(indexedDB, {
    get: (target, key) =>
      key === "open"
        ? (...args: [string, number]) => {
            const request = target.open(...args);
            request.addEventListener("success", () => opened.push(request.result));
            return request;
          }
        : Reflect.get(target, key),
  });
  const store = openDatabase(factory, name).store("settings");
  await set("a", 1, store);
  opened[0]?.close(); // without a close event, as some browsers do
  expect(await get("a", store)).toBe(1);
  expect(opened).toHaveLength(2);
});

test("a newer version in another tab may upgrade: we step aside", async () => {
  const name = freshName();
  const database = openDatabase(indexedDB, name);
  await set("a", 1, database.store("settings"));
  const upgraded = await new Promise<string>((resolve) => {
    const request = indexedDB.open(name, 99);
    request.onsuccess = () => resolve("upgraded");
    request.onblocked = () => resolve("blocked");
  });
  expect(upgraded).toBe("upgraded");
});

test("a write that the disk has no room for is `quota`", async () => {
  const store = openDatabase(indexedDB, freshName()).store("journal");
  const full = store("readwrite", () =>
    Promise.reject(new DOMException("disk full", "QuotaExceededError")),
  );
  await expect(full).rejects.toMatchObject({ code: "quota" });
});

test("an error that idb-keyval swallows is told once the transaction has aborted", async () => {
  const store = openDatabase(indexedDB, freshName()).store("journal");
  await store("readwrite", async (journal) => void journal.add(1, "key"));
  const twice = store("readwrite", (journal) => {
    journal.add(2, "key");
    return Promise.reject(null); // what its promise of a transaction gives on a failed request
  });
  await expect(twice).rejects.toMatchObject({ name: "ConstraintError" });
});

test("other errors pass through untouched", () => {
  const error = new Error("other");
  expect(storageError(error, 5)).toBe(error);
});
