import type { FusedRecord } from "../fuse/dataset/records.ts";
import type { TrainBatch } from "./backward/batch.ts";
import type { Sequence, Stretch } from "./order.ts";

/** A stretch of one document in a batch. */
interface Part {
  readonly record: FusedRecord;
  readonly stretch: Stretch;
}

/**
 * Batch of a sequence: its documents one after the other, a weight of 1 before each supervised
 * token, and the fused rows there. `records` has each of these documents.
 */
export function makeBatch(
  sequence: Sequence,
  records: ReadonlyMap<number, FusedRecord>,
  lambda: number,
): TrainBatch {
  const parts = sequence.map(
    (stretch): Part => ({
      stretch,
      record: records.get(stretch.document) as FusedRecord,
    }),
  );
  const tokens = sequence.reduce((sum, stretch) => sum + stretch.tokens, 0);
  const ids = new Uint32Array(tokens);
  const labels = new Uint32Array(tokens);
  const weights = new Float32Array(tokens);
  const starts = new Uint32Array(tokens + 1);
  const tails = new Float32Array(tokens);
  const documents: number[] = [];
  const entries: number[] = [];
  const probabilities: number[] = [];
  let at = 0;
  for (const { record, stretch } of parts) {
    const { tokens: own, positions } = record.pivot;
    const end = stretch.from + stretch.tokens;
    documents.push(at);
    ids.set(own.ids.subarray(stretch.from, end), at);
    labels.set(own.ids.subarray(stretch.from + 1, end), at);
    let row = positions.findIndex((position) => position >= stretch.from);
    if (row < 0) row = positions.length;
    for (let t = stretch.from; t < end; t++) {
      const place = at + t - stretch.from;
      // The last token's row predicts a token outside the stretch.
      if (positions[row] === t && t + 1 < end) {
        weights[place] = 1;
        tails[place] = record.tail[row]!;
        const { offsets, ids: fusedIds, values } = record.fused;
        for (let e = offsets[row]!; e < offsets[row + 1]!; e++) {
          entries.push(fusedIds[e]!);
          probabilities.push(values[e]!);
        }
      }
      if (positions[row] === t) row++;
      starts[place + 1] = entries.length;
    }
    at += stretch.tokens;
  }
  const fused = {
    starts,
    tails,
    ids: Uint32Array.from(entries),
    probabilities: Float32Array.from(probabilities),
  };
  return { ids, documents, labels, weights, fused: lambda < 1 ? fused : null, lambda };
}

/** Number of positions with a nonzero weight. */
export function countTokens({ weights }: TrainBatch): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}
