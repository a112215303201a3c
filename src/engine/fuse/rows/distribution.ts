import type { FusionSettings } from "../../contract/index.ts";
import type { SparseRows } from "../align/types.ts";

/** A row as its ids and values, the largest value first. */
export interface SparseRow {
  readonly ids: Uint32Array;
  readonly values: Float32Array;
}

export function rowOf({ offsets, ids, values }: SparseRows, row: number): SparseRow {
  const [start, end] = [offsets[row] as number, offsets[row + 1] as number];
  return { ids: ids.subarray(start, end), values: values.subarray(start, end) };
}

/**
 * Distribution of one model's row, in float64, as shaders/fuse/mix_rows.wgsl computes it. `logSum`
 * is that of the whole row; without it, or where the entries exceed it, they are renormalised. With
 * a bucket the tail is one more outcome, to which temperature applies, too.
 */
export function rowDistribution(
  values: Float32Array,
  logSum: number,
  { temperature, tail }: Pick<FusionSettings, "temperature" | "tail">,
): { readonly probabilities: readonly number[]; readonly tail: number } {
  const logits = [...values];
  if (logits.length === 0) return { probabilities: [], tail: 1 };
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const rest =
    tail === "bucket" ? 1 - logits.reduce((sum, logit) => sum + Math.exp(logit - logSum), 0) : 0;
  // Relative to the largest logit, so that nothing overflows.
  const outcomes = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const bucket = rest > 0 ? (rest * Math.exp(logSum - largest)) ** (1 / temperature) : 0;
  const total = outcomes.reduce((a, b) => a + b, bucket);
  return { probabilities: outcomes.map((outcome) => outcome / total), tail: bucket / total };
}
