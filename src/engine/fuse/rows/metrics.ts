import type { FusionSettings } from "../../contract/index.ts";
import type { AlignedSource, UnfusedRecord } from "../dataset/records.ts";

type MetricSettings = Pick<FusionSettings, "level" | "metric">;

/**
 * Metrics that the choice compares at a row, in nats per byte or per token, the pivot first. Per
 * sequence they are the same for all rows; NaN where a model has none. Per token, a source without
 * a row of its own has none: its row would be the pivot's.
 */
export function rowMetrics(
  record: UnfusedRecord,
  row: number,
  settings: MetricSettings,
): readonly number[] {
  if (settings.level === "sequence") return sequenceMetrics(record, settings);
  const { pivot, sources } = record;
  const position = pivot.positions[row] as number;
  const own = tokenMetric(pivot.goldNats[row]!, pivot.tokens.ends, position, settings);
  return [own, ...sources.map((source) => sourceMetric(source, row, settings))];
}

/** Metrics over a document: each model's supervised tokens in its own tokenisation. */
export function sequenceMetrics(
  { pivot, sources, supervisedBytes }: UnfusedRecord,
  { metric }: Pick<MetricSettings, "metric">,
): readonly number[] {
  const nats = pivot.goldNats.reduce((sum, each) => sum + each, 0);
  const scored = [{ nats, tokens: pivot.goldNats.length }, ...sources.map(({ scored }) => scored)];
  return scored.map(({ nats, tokens }) =>
    // Without tokens there is no metric, per byte either.
    tokens === 0 ? Number.NaN : nats / (metric === "byte" ? supervisedBytes : tokens),
  );
}

function sourceMetric(source: AlignedSource, row: number, settings: MetricSettings): number {
  const position = source.from[row] as number;
  if (source.tokens.ids.length === 0) return source.goldNats[row] as number; // an import
  if (position < 0) return Number.NaN;
  return tokenMetric(source.goldNats[row]!, source.tokens.ends, position, settings);
}

/**
 * Metric of the token after a position; a token without text, such as the end of a turn, counts as
 * one byte.
 */
function tokenMetric(
  nats: number,
  ends: Uint32Array,
  position: number,
  { metric }: MetricSettings,
): number {
  const bytes = ends[position + 1]! - ends[position]!;
  return metric === "byte" ? nats / Math.max(1, bytes) : nats;
}
