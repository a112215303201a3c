import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize } from "node:v8";
import { gunzipSync } from "node:zlib";
import { openDatabase, STORES, type StoreName } from "../engine/storage/database.ts";

/** A file that is kept as its difference to a sample's, aligned at the end where weights lie. */
interface DifferenceToSample {
  readonly $sample: string;
  /** Byte by byte exclusive or, in gzip. */
  readonly difference: Uint8Array;
}
type Rows = readonly (readonly [IDBValidKey, unknown])[];

/**
 * For tests: fills the database with what a browser held when another version of the studio was
 * closed, from `goldens/stores` (rows by object store, by Node's `v8.serialize`).
 */
export async function restoreStore(version: string): Promise<void> {
  const packed = readFileSync(join("goldens", "stores", `${version}.v8.gz`));
  const stores = deserialize(gunzipSync(packed)) as Partial<Record<StoreName, Rows>>;
  const database = openDatabase();
  for (const name of STORES) {
    await database.store(name)("readwrite", (store) => {
      for (const [key, value] of stores[name] ?? []) store.put(restore(value), key);
    });
  }
  database.close();
}

function restore(value: unknown): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(restore);
  if ("$sample" in value) return addSample(value as DifferenceToSample);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restore(inner)]));
}

function addSample({ $sample, difference }: DifferenceToSample): Uint8Array<ArrayBuffer> {
  const sample = readFileSync(join("public", "samples", $sample));
  const bytes = new Uint8Array(gunzipSync(difference));
  const shift = bytes.byteLength - sample.byteLength;
  return bytes.map((byte, i) => byte ^ (sample[i - shift] ?? 0));
}
