import { ropeFrequencies, ropeTable } from "../../runtime/description/rope.ts";
import type { RopeSpec } from "../../runtime/description/spec.ts";
import type { TrainBatch } from "./batch.ts";

/** Rows grouped by key: the keys, then offsets, then the rows group by group. */
export interface RowGroups {
  readonly groups: number;
  readonly lists: Uint32Array<ArrayBuffer>;
}

/** Groups rows by key, keys and rows ascending; rows with the key `except` are left out. */
export function groupRows(keys: ArrayLike<number>, except: number | null = null): RowGroups {
  const order = Array.from({ length: keys.length }, (_, row) => row)
    .filter((row) => keys[row] !== except)
    .toSorted((a, b) => keys[a]! - keys[b]! || a - b);
  const starts = order.flatMap((row, i) =>
    i === 0 || keys[order[i - 1] as number] !== keys[row] ? [i] : [],
  );
  const unique = starts.map((start) => keys[order[start] as number] as number);
  const lists = Uint32Array.from([...unique, ...starts, order.length, ...order]);
  return { groups: unique.length, lists };
}

/** Start of each token's document, and the token's position within it. */
export function documentTables({ ids, documents }: TrainBatch) {
  const starts = new Uint32Array(ids.length);
  const positions = new Uint32Array(ids.length);
  for (const [i, start] of documents.entries()) {
    const end = documents[i + 1] ?? ids.length;
    for (let t = start; t < end; t++) {
      starts[t] = start;
      positions[t] = t - start;
    }
  }
  return { starts, positions };
}

/** Angles of every token by its position in its document: `[tokens][pairs]` of (cos, sin). */
export function angleTable(rope: RopeSpec, { ids, documents }: TrainBatch) {
  const table = new Float32Array(ids.length * rope.pairs * 2);
  for (const [i, start] of documents.entries()) {
    const length = (documents[i + 1] ?? ids.length) - start;
    const angles = ropeTable(ropeFrequencies(rope, length), 0, length);
    table.set(angles, start * rope.pairs * 2);
  }
  return table;
}

/** Entropy of a position's fused row in nats, its tail as one more event; 0 without a row. */
export function rowEntropy({ fused }: TrainBatch, t: number): number {
  if (!fused) return 0;
  const row = fused.probabilities.subarray(fused.starts[t], fused.starts[t + 1]);
  return [...row, fused.tails?.[t] ?? 0].reduce(
    (sum, q) => (q > 0 ? sum - q * Math.log(q) : sum),
    0,
  );
}
