import { get, set, type UseStore } from "idb-keyval";
import { hashBytes } from "../../../storage/hash.ts";
import type { Vocabulary } from "../types.ts";
import type { Targets } from "./exact.ts";
import { piecesOf } from "./mined.ts";

/** Cache of vocabulary maps by their inputs; a lost map is computed again. */
export interface MapCache {
  load(key: string): Promise<Targets | null>;
  save(key: string, targets: Targets): Promise<void>;
}

/** Raised whenever a map of the same vocabularies would differ. */
const VERSION = 1;

/** Key of the map of two vocabularies, from their strings and markers. */
export async function mapKey(
  kind: "mined",
  pivot: Vocabulary,
  source: Vocabulary,
): Promise<string> {
  const bytes = [pivot, source].map((vocabulary) =>
    new TextEncoder().encode(JSON.stringify([vocabulary.marker, piecesOf(vocabulary)])),
  );
  const hashes = await Promise.all(bytes.map(hashBytes));
  return [kind, VERSION, ...hashes].join("-");
}

/** Maps in the store `facts` of the engine's database, whose keys are lists with models at [2]. */
export function mapsInDatabase(store: UseStore): MapCache {
  const keyOf = (key: string) => JSON.stringify(["vocabulary map", key, []]);
  return {
    async load(key) {
      const found: unknown = await get(keyOf(key), store);
      return found instanceof Int32Array ? (found as Targets) : null;
    },
    save: (key, targets) => set(keyOf(key), targets, store),
  };
}
