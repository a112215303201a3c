import { delMany, promisifyRequest, setMany, type UseStore } from "idb-keyval";
import { EngineError } from "../contract/index.ts";
import type { ByteSink, ByteSource } from "../core/bytes.ts";
import { invariant } from "../core/invariant.ts";
import { storageError } from "./database.ts";
import { hashBytes } from "./hash.ts";
import { ValueCache } from "./valueCache.ts";

/**
 * A file in IndexedDB is a row of values of this size, the last one shorter. One value of 2 GB kills
 * the tab, and 16 MiB reads nearly as fast as 64 MiB.
 */
const VALUE_BYTES = 16 * 1024 * 1024;

/** Index entry of a stored value: its hash and length. */
export interface ValueMark {
  readonly hash: string;
  readonly byteLength: number;
}

/** Store of bytes by folder and path, where a folder is the first part of a key. */
export interface ValueStore {
  /** Source of a finished file. `truncated` where a value is missing or damaged. */
  source(folder: string, path: string, byteLength: number): ByteSource;
  /** Sink that continues after the stored bytes. */
  sink(folder: string, path: string, byteLength: number): Promise<ByteSink>;
  /** Index entries of a file's values, up to the first gap. */
  marks(folder: string, path: string): Promise<readonly ValueMark[]>;
  /** Deletes the values from index `first` on. */
  cut(folder: string, path: string, first: number): Promise<void>;
  /** Folders with at least one value. */
  folders(): Promise<readonly string[]>;
  /** Deletes a folder and its values. */
  deleteFolder(folder: string): Promise<void>;
}

// A value's bytes lie under [folder, path, n], its mark under [folder, path, "mark", n]. Numbers sort
// before strings, so all marks of a file can be read without touching its bytes.
const bytesKey = (folder: string, path: string, index: number) => [folder, path, index];
const markKey = (folder: string, path: string, index: number) => [folder, path, "mark", index];

/**
 * Value store in one object store. `valueBytes` is for tests; a store keeps the size it was made
 * with.
 */
export function storeValues(use: UseStore, valueBytes = VALUE_BYTES): ValueStore {
  const cache = new ValueCache();
  const cacheKey = (folder: string, path: string) => JSON.stringify([folder, path]);

  async function marks(folder: string, path: string): Promise<readonly ValueMark[]> {
    const range = IDBKeyRange.bound([folder, path, "mark"], [folder, path, "mark", []]);
    const [keys, values] = await use("readonly", (store) =>
      Promise.all([
        promisifyRequest(store.getAllKeys(range)),
        promisifyRequest<ValueMark[]>(store.getAll(range)),
      ]),
    );
    const gap = keys.findIndex((key, index) => (key as readonly unknown[])[3] !== index);
    return gap < 0 ? values : values.slice(0, gap);
  }

  /** One value, checked against its hash. */
  async function load(folder: string, path: string, index: number) {
    const [bytes, mark] = await use("readonly", (store) =>
      Promise.all([
        promisifyRequest<Uint8Array<ArrayBuffer> | undefined>(
          store.get(bytesKey(folder, path, index)),
        ),
        promisifyRequest<ValueMark | undefined>(store.get(markKey(folder, path, index))),
      ]),
    );
    const start = index * valueBytes;
    if (!bytes || !mark) {
      throw new EngineError(
        "truncated",
        `${path}: the stored bytes from ${start} on are gone; the browser may have cleared them. Delete the model and import it again.`,
        { file: path, start },
      );
    }
    if (bytes.byteLength !== mark.byteLength || (await hashBytes(bytes)) !== mark.hash) {
      throw new EngineError(
        "truncated",
        `${path}: the stored bytes from ${start} on have changed since they were written (their hash differs). Delete the model and import it again.`,
        { file: path, start, byteLength: bytes.byteLength },
      );
    }
    return bytes;
  }

  async function put(folder: string, path: string, index: number, bytes: Uint8Array<ArrayBuffer>) {
    const mark: ValueMark = { hash: await hashBytes(bytes), byteLength: bytes.byteLength };
    cache.forget(cacheKey(folder, path), index);
    await setMany(
      [
        [bytesKey(folder, path, index), bytes],
        [markKey(folder, path, index), mark],
      ],
      use,
    );
  }

  async function cut(folder: string, path: string, first: number): Promise<void> {
    const keys = await use("readonly", (store) =>
      promisifyRequest(store.getAllKeys(IDBKeyRange.bound([folder, path], [folder, path, []]))),
    );
    const doomed = keys.filter((key) => {
      const parts = key as readonly unknown[];
      return Number(parts[3] ?? parts[2]) >= first;
    });
    for (const key of doomed) {
      const index = (key as readonly unknown[])[2];
      if (typeof index === "number") cache.forget(cacheKey(folder, path), index);
    }
    if (doomed.length > 0) await delMany(doomed, use);
  }

  return {
    marks,
    cut,
    source: (folder, path, byteLength) => ({
      byteLength,
      async read(start, length) {
        invariant(start >= 0 && length >= 0, "reads lie within the file");
        if (start + length > byteLength) throw tooShort(path, start + length, byteLength);
        const out = new Uint8Array(length);
        const key = cacheKey(folder, path);
        for (let done = 0; done < length; ) {
          const at = start + done;
          const index = Math.floor(at / valueBytes);
          const value = await cache.get(key, index, () => load(folder, path, index));
          const from = at % valueBytes;
          const part = value.subarray(from, Math.min(from + length - done, value.byteLength));
          if (part.byteLength === 0) throw tooShort(path, start + length, at);
          out.set(part, done);
          done += part.byteLength;
        }
        return out;
      },
      // The values' hashes stand for their bytes.
      mark: async () => (await marks(folder, path)).map(({ hash }) => hash).join(" "),
    }),
    async sink(folder, path, byteLength) {
      const present = await marks(folder, path);
      let next = present.findIndex((mark) => mark.byteLength !== valueBytes);
      if (next < 0) next = present.length;
      // The last value may be incomplete: it is read back and filled up, unless it is damaged.
      let filling = new Uint8Array(
        Math.min(valueBytes, Math.max(0, byteLength - next * valueBytes)),
      );
      let filled = 0;
      if (next < present.length) {
        const partial = await load(folder, path, next).catch(() => new Uint8Array(0));
        filled = Math.min(partial.byteLength, filling.byteLength);
        filling.set(partial.subarray(0, filled));
      }
      let durable = next * valueBytes + filled;

      async function write(bytes: Uint8Array<ArrayBuffer>) {
        const end = next * valueBytes + bytes.byteLength;
        try {
          await put(folder, path, next, bytes);
        } catch (error) {
          throw storageError(
            error instanceof EngineError && error.code === "quota" ? error.cause : error,
            byteLength - durable,
          );
        }
        durable = end;
      }

      return {
        get durableBytes() {
          return durable;
        },
        async append(bytes) {
          for (let done = 0; done < bytes.byteLength; ) {
            const room = filling.byteLength - filled;
            const part = bytes.subarray(done, done + room);
            invariant(room > 0, `${path} gets no more than its ${byteLength} bytes`);
            filling.set(part, filled);
            filled += part.byteLength;
            done += part.byteLength;
            if (filled < filling.byteLength) continue;
            await write(filling);
            next += 1;
            filled = 0;
            const left = Math.max(0, byteLength - next * valueBytes);
            if (left < filling.byteLength) filling = new Uint8Array(Math.min(valueBytes, left));
          }
        },
        async flush() {
          if (filled > 0 && durable < next * valueBytes + filled) {
            await write(filling.slice(0, filled));
          }
        },
      };
    },
    async folders() {
      const keys = await use("readonly", (store) => promisifyRequest(store.getAllKeys()));
      return [...new Set(keys.map((key) => (key as readonly string[])[0] as string))];
    },
    async deleteFolder(folder) {
      cache.clear();
      await use("readwrite", (store) => {
        store.delete(IDBKeyRange.bound([folder], [folder, []]));
        return promisifyRequest(store.transaction);
      });
    },
  };
}

function tooShort(path: string, wanted: number, has: number): EngineError {
  return new EngineError(
    "truncated",
    `${path}: bytes up to ${wanted} were asked for, but only ${has} are stored. Delete the model and import it again.`,
    { file: path, wanted, has },
  );
}
