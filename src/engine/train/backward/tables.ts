import { ropeFrequencies, ropeTable } from "../../runtime/description/rope.ts";
import type { RopeSpec } from "../../runtime/description/spec.ts";
import type { TrainBatch } from "./batch.ts";

/** Groups of rows that share a key: the keys, one more start, then the rows group by group. */
export interface RowGroups {
  readonly groups: number;
  readonly lists: Uint32Array<ArrayBuffer>;
}

/** Which rows have which key, keys in ascending order and rows in theirs; none of `except`. */
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

/** Where the document of each token starts, and the token's position in it. */
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

/** Angles of every token, counted from its document's start: `[tokens][pairs]` of (cos, sin). */
export function angleTable(rope: RopeSpec, { ids, documents }: TrainBatch) {
  const table = new Float32Array(ids.length * rope.pairs * 2);
  for (const [i, start] of documents.entries()) {
    const length = (documents[i + 1] ?? ids.length) - start;
    const angles = ropeTable(ropeFrequencies(rope, length), 0, length);
    table.set(angles, start * rope.pairs * 2);
  }
  return table;
}

/** Entropy of a position's fused row in nats, its tail an event of its own; 0 where it has none. */
export function rowEntropy({ fused }: TrainBatch, t: number): number {
  if (!fused) return 0;
  const row = fused.probabilities.subarray(fused.starts[t], fused.starts[t + 1]);
  return [...row, fused.tails?.[t] ?? 0].reduce(
    (sum, q) => (q > 0 ? sum - q * Math.log(q) : sum),
    0,
  );
}
