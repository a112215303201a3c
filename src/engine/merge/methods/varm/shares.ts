import { layerKey } from "../../../checkpoint/tensorRoles/role.ts";
import type { UnitTensor, Values } from "../../method.ts";
import {
  equalShares,
  type Measure,
  measureMoved,
  measureUnit,
  normaliseSoftmax,
  normaliseSum,
  type Statistic,
} from "./weigh.ts";

export const GRANULARITIES = ["model", "layer", "module", "matrix", "parameter"] as const;
export type Granularity = (typeof GRANULARITIES)[number] | "moved";

/** The released scripts' names of the granularities; `avg_weight` exists only there. */
const RELEASED_GRANULARITY: Readonly<Record<string, Granularity>> = {
  avg_model: "model",
  avg_weight: "moved",
  avg_layer: "layer",
  avg_module: "module",
  avg_param: "matrix",
  avg_item: "parameter",
};
const RELEASED_STATISTIC: Readonly<Record<string, Statistic>> = {
  default: "signed",
  squre: "square",
};
export const RELEASED_GRANULARITIES = Object.keys(RELEASED_GRANULARITY);
export const RELEASED_STATISTICS = Object.keys(RELEASED_STATISTIC);

export function granularityOf(global: Values): Granularity {
  const name = String(global.granularity);
  return RELEASED_GRANULARITY[name] ?? (name as Granularity);
}

export function statisticOf(global: Values): Statistic {
  const name = String(global.statistic);
  return RELEASED_STATISTIC[name] ?? (name as Statistic);
}

export function isReleased(global: Values): boolean {
  return global.profile === "fusechat-v1";
}

/** Shares computed from a unit's sums, before those stated by hand; one list for the whole unit. */
export function computeShares(unit: readonly UnitTensor[]): number[] {
  const { resolved, facts, name } = unit[0] as UnitTensor;
  const { global } = resolved;
  const granularity = granularityOf(global);
  const models = facts.length;
  // As published, every model reads the first model's analysis, so all get equal shares.
  if (global.analysis === "shared") return equalShares(models);
  // Tensors outside the layers get equal shares, as in the paper's scripts.
  if (granularity === "layer" && layerKey(name) === null) return equalShares(models);

  const over: Measure["over"] =
    granularity === "layer" || granularity === "module" ? "sum of means" : "pooled";
  const measured = measureUnit(unit, { statistic: statisticOf(global), over });
  const keepsSign = isReleased(global) && granularity === "model";
  let values = keepsSign ? measured : measured.map(Math.abs);
  if (granularity === "moved") {
    const moved = measureMoved(unit);
    values = values.map((value, m) => value * moved[m]!);
  }
  if (isReleased(global) && (granularity === "module" || granularity === "matrix")) {
    if (values.some((value) => value === 0)) return equalShares(models);
  }
  const nothingMoved = values.every((value) => value === 0);
  if (nothingMoved) {
    const keepBase = !isReleased(global) && global.zero_rule === "base";
    return keepBase ? values.map(() => 0) : equalShares(models);
  }
  if (global.normalise === "softmax") return normaliseSoftmax(values, Number(global.temperature));
  return normaliseSum(values) ?? values.map(() => Number.NaN);
}

/**
 * Shares with those stated in the recipe kept as they are; the other models split the remainder to
 * 1 in proportion to their computed shares. Null where none is stated.
 */
export function applyStated(
  computed: readonly number[],
  stated: readonly Values[],
): number[] | null {
  const fixed = stated.map(({ share }) =>
    share === null || share === undefined ? null : Number(share),
  );
  if (fixed.every((share) => share === null)) return null;
  const remaining = 1 - fixed.reduce<number>((sum, share) => sum + (share ?? 0), 0);
  const free = computed.reduce((sum, share, m) => sum + (fixed[m] === null ? share : 0), 0);
  return computed.map((share, m) => fixed[m] ?? (free === 0 ? 0 : (remaining * share) / free));
}
