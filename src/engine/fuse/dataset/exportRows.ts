import { rowOf } from "../rows/distribution.ts";
import { sequenceMetrics } from "../rows/metrics.ts";
import type { AlignedSource, FusedRecord } from "./records.ts";

/** Reference whose field names a Parquet export uses. */
export type ParquetFormat = "fusellm" | "fusechat-v1" | "fusechat-v2";

/** A document with the references' fields. Lists have one entry per pivot token. */
export type ExportRow = Readonly<Record<string, number | readonly number[] | Lists>>;
export type Lists = readonly (readonly number[])[];

/** Label of tokens that are not learned. */
const IGNORED = -100;
/** Logit of probability 0: e^-10000 is 0 in every float, and f16 can store it. */
const NOTHING = -10_000;

/**
 * Names of an export's fields in order, by what they hold. `fusechat-v2` holds one source a document;
 * beyond the two of the others the numbering goes on.
 */
export function exportFields(format: ParquetFormat, sources: number) {
  const aligned = Array.from({ length: format === "fusechat-v2" ? 1 : sources }, (_, i) => ({
    logits: format === "fusechat-v2" ? "fused_per_step_logits" : `per_step_aligned_logits_${i}`,
    indices: format === "fusechat-v2" ? "fused_per_step_indices" : `per_step_aligned_indices_${i}`,
    metric: format === "fusechat-v2" ? "fused_metric_ce" : `metric_ce_aligned_${i}`,
  }));
  return {
    ids: ["input_ids", "attention_mask", "labels"],
    logits: ["per_step_logits", ...aligned.map(({ logits }) => logits)],
    indices: ["per_step_indices", ...aligned.map(({ indices }) => indices)],
    metrics: ["metric_ce", ...aligned.map(({ metric }) => metric)],
  };
}

/** A record as the references' trainers read it. Their metric is nats per token. */
export function exportRow(record: FusedRecord, format: ParquetFormat): ExportRow {
  const { pivot, sources } = record;
  const { ids } = pivot.tokens;
  const labels = Array.from(ids, () => IGNORED);
  for (const position of pivot.positions) labels[position + 1] = ids[position + 1]!;
  // FuseLLM learns whole texts, including the first token, which no row predicts.
  const whole = pivot.positions.length === ids.length - 1;
  if (format === "fusellm" && whole) labels[0] = ids[0]!;
  const metrics = sequenceMetrics(record, { metric: "token" });
  const taken = format === "fusechat-v2" ? [leastSource(metrics)] : sources.map((_, i) => i);
  const names = exportFields(format, sources.length);
  const row: Record<string, number | readonly number[] | Lists> = {
    input_ids: [...ids],
    attention_mask: Array.from(ids, () => 1),
    labels,
    ...pivotRows(record),
    metric_ce: metrics[0]!,
  };
  for (const [i, source] of taken.entries()) {
    const { logits, indices } = sourceRows(record, sources[source]);
    row[names.logits[i + 1]!] = logits;
    row[names.indices[i + 1]!] = indices;
    row[names.metrics[i + 1]!] = metrics[source + 1] ?? Number.NaN;
  }
  return row;
}

/** Index of the source that `fuse_multi.py` keeps: the first with the lowest metric. */
function leastSource(metrics: readonly number[]): number {
  const counted = metrics.slice(1).map((metric) => (Number.isNaN(metric) ? 1e5 : metric));
  return counted.reduce((best, metric, i) => (metric < counted[best]! ? i : best), 0);
}

/**
 * The pivot's rows. Where none is kept stands the token that follows, with so many entries of no
 * probability that all rows have as many: FuseChat's trainers mask these positions, FuseLLM's learns them.
 */
function pivotRows({ pivot }: FusedRecord) {
  const { ids } = pivot.tokens;
  const per_step_logits: number[][] = [];
  const per_step_indices: number[][] = [];
  let row = 0;
  for (let position = 0; position < ids.length; position++) {
    if (pivot.positions[row] === position) {
      const [start, end] = [row * pivot.k, (row + 1) * pivot.k];
      per_step_logits.push([...pivot.logits.subarray(start, end)]);
      per_step_indices.push([...pivot.ids.subarray(start, end)]);
      row += 1;
    } else {
      const next = ids[Math.min(position + 1, ids.length - 1)]!;
      const others = Array.from({ length: pivot.k }, (_, id) => id).filter((id) => id !== next);
      per_step_indices.push([next, ...others.slice(0, pivot.k - 1)]);
      per_step_logits.push(Array.from({ length: pivot.k }, (_, i) => (i === 0 ? 0 : NOTHING)));
    }
  }
  return { per_step_logits, per_step_indices };
}

/** A source's rows, empty where it has none; the collators then use the pivot's own. */
function sourceRows({ pivot }: FusedRecord, source: AlignedSource | undefined) {
  const logits: number[][] = Array.from(pivot.tokens.ids, () => []);
  const indices: number[][] = Array.from(pivot.tokens.ids, () => []);
  if (source) {
    for (const [row, position] of pivot.positions.entries()) {
      const { ids, values } = rowOf(source.rows, row);
      logits[position] = [...values];
      indices[position] = [...ids];
    }
  }
  return { logits, indices };
}
