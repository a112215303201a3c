import { EngineError, type FusionSettings } from "../../contract/index.ts";
import type { UnfusedRecord } from "../dataset/records.ts";
import { exactly, toBf16 } from "../rounding.ts";
import { rowMetrics, sequenceMetrics } from "./metrics.ts";

export type ChoiceSettings = Pick<
  FusionSettings,
  "profile" | "fusion" | "level" | "metric" | "averageBy" | "bf16" | "withPivot"
>;

/** Metric that `fuse_multi.py` assigns to a source without one. */
const NO_METRIC = 1e5;

/**
 * Reason why a document cannot be fused, or null: the references' `filter_nan`, with a sentence.
 */
export function refusal(record: UnfusedRecord, settings: ChoiceSettings): string | null {
  const { pivot, sources } = record;
  if (pivot.positions.length === 0) return "no supervised token";
  const [own, ...others] = sequenceMetrics(record, settings) as [number, ...number[]];
  if (!Number.isFinite(own)) return "no metric of the pivot";
  // FuseChat v2 joins datasets of pairs: a source without a metric is only left out of the choice.
  const some = settings.profile === "fusechat-v2" || settings.level === "token";
  const finite = others.map(Number.isFinite);
  if (some ? !finite.some(Boolean) && others.length > 0 : !finite.every(Boolean)) {
    return "no metric of a source";
  }
  const logits = [pivot.logits, ...sources.map(({ rows }) => rows.values)];
  if (!logits.every((values) => values.every(Number.isFinite))) return "a logit that is not finite";
  return null;
}

/** r = 1 / e^metric, the reward of the references' trainers: in bf16 each step is rounded. */
export function rewardOf(metric: number, { bf16 }: Pick<ChoiceSettings, "bf16">): number {
  const round = bf16 ? toBf16 : exactly;
  return round(1 / round(Math.exp(round(metric))));
}

/** Rewards of the pivot and of each source at a row, for soft λ; NaN where one has no metric. */
export function rowRewards(
  record: UnfusedRecord,
  row: number,
  settings: ChoiceSettings,
): readonly number[] {
  return rowMetrics(record, row, settings).map((metric) => rewardOf(metric, settings));
}

/** [rows, 1 + sources]: weight of each member's row in the fused row. Rows sum to 1. */
export function weighRows(
  record: UnfusedRecord,
  settings: ChoiceSettings,
): Float32Array<ArrayBuffer> {
  const rows = record.pivot.positions.length;
  const members = 1 + record.sources.length;
  const names = record.sources.map(({ model }) => model);
  const weights = new Float32Array(rows * members);
  let own: readonly number[] = [];
  for (let row = 0; row < rows; row++) {
    if (row === 0 || settings.level === "token") {
      own = weighMembers(rowMetrics(record, row, settings), names, settings);
    }
    weights.set(own, row * members);
  }
  return weights;
}

/** Weights of the pivot and the sources from their metrics; names break ties. */
export function weighMembers(
  metrics: readonly number[],
  names: readonly string[],
  settings: ChoiceSettings,
): readonly number[] {
  const taking = metrics.flatMap((metric, member) =>
    Number.isFinite(metric) && (member > 0 || settings.withPivot) ? [member] : [],
  );
  const weights = metrics.map(() => 0);
  if (taking.length === 0) {
    weights[0] = 1; // Nobody else has anything to say here: the pivot's own row.
  } else if (settings.fusion === "mince") {
    weights[leastMetric(metrics, names, taking, settings)] = 1;
  } else {
    const shares = averageShares(
      taking.map((member) => metrics[member]!),
      settings,
    );
    for (const [i, member] of taking.entries()) weights[member] = shares[i]!;
  }
  return weights;
}

/** Member that MinCE follows: the one with the lowest metric. */
function leastMetric(
  metrics: readonly number[],
  names: readonly string[],
  taking: readonly number[],
  settings: ChoiceSettings,
): number {
  const { profile, withPivot, bf16 } = settings;
  if (profile === "studio") {
    // Of equal sources the first by name wins: their order in the request must not matter.
    return taking.reduce((best, member) => {
      const difference = metrics[member]! - metrics[best]!;
      const first = best > 0 && names[member - 1]! < names[best - 1]!;
      return difference < 0 || (difference === 0 && first) ? member : best;
    });
  }
  const rivals = profile === "fusechat-v2" ? preselect(metrics, withPivot) : taking;
  // Without rounding the metrics are compared directly: a reward could underflow.
  const reward = (member: number) =>
    bf16 ? rewardOf(metrics[member]!, settings) : -metrics[member]!;
  return rivals.reduce((best, member) => {
    const better = reward(member) - reward(best);
    // The trainers compare with ">" from the pivot on, and in reverse where the pivot is left out.
    return better > 0 || (better === 0 && !withPivot) ? member : best;
  });
}

/** Source that `fuse_multi.py` keeps beside the pivot: the first with the lowest metric. */
function preselect(metrics: readonly number[], withPivot: boolean): readonly number[] {
  const counted = metrics.map((metric) => (Number.isNaN(metric) ? NO_METRIC : metric));
  const sources = metrics.flatMap((_, member) => (member > 0 ? [member] : []));
  if (sources.length === 0) return [0];
  const least = sources.reduce((best, member) =>
    counted[member]! < counted[best]! ? member : best,
  );
  return withPivot ? [0, least] : [least];
}

/** AvgCE: softmax of the rewards, or of the negative metrics. */
function averageShares(metrics: readonly number[], settings: ChoiceSettings): readonly number[] {
  const round = settings.bf16 ? toBf16 : exactly;
  const scores = metrics.map((metric) =>
    settings.averageBy === "rewards" ? rewardOf(metric, settings) : -round(metric),
  );
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  // Summed from the smallest on, so that the order of the sources does not show in the last bit.
  const total = powers.toSorted((a, b) => a - b).reduce((a, b) => a + b, 0);
  if (!(total > 0)) throw new EngineError("nonfinite", "The weights of a row are not finite.");
  return powers.map((power) => round(power / total));
}
