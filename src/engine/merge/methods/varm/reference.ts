import { layerKey } from "../../../checkpoint/tensorRoles/role.ts";
import { fromF32, toF32 } from "../../../core/tensor/convert.ts";
import type { ReferenceTensor, Values } from "../../method.ts";
import { applyStated, granularityOf, isReleased, statisticOf } from "./shares.ts";

/** Statistic of one element's change. */
function changeOf(statistic: string, delta: number): number {
  if (statistic === "square") return delta * delta;
  return statistic === "abs" ? Math.abs(delta) : delta;
}

const toShares = (values: readonly number[], global: Values): number[] => {
  if (global.normalise === "softmax") {
    const powers = values.map((v) =>
      Math.exp((v - Math.max(...values)) / Number(global.temperature)),
    );
    return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
  }
  return values.map((v) => v / values.reduce((a, b) => a + b, 0));
};

/**
 * Shares of a unit that is decided as a whole (Eq. 7), with what the released scripts add to it.
 */
function unitShares(unit: readonly ReferenceTensor[]): number[] {
  const { global } = unit[0]!.resolved;
  const models = unit[0]!.models.length;
  const equal = Array.from({ length: models }, () => 1 / models);
  const granularity = granularityOf(global);
  const statistic = statisticOf(global);
  if (global.analysis === "shared") return equal;
  if (granularity === "layer" && layerKey(unit[0]!.name) === null) return equal;

  const total = unit.reduce((sum, { base }) => sum + base!.length, 0);
  let values = equal.map((_, m) => {
    const sums = unit.map(({ base, models: xs }) =>
      base!.reduce((sum, b, i) => sum + changeOf(statistic, xs[m]![i]! - b), 0),
    );
    return granularity === "layer" || granularity === "module"
      ? sums.reduce((sum, s, i) => sum + s / unit[i]!.base!.length, 0)
      : sums.reduce((a, b) => a + b, 0) / total;
  });
  if (!(isReleased(global) && granularity === "model")) values = values.map(Math.abs);
  if (granularity === "moved") {
    values = values.map((value, m) => {
      const moved = unit.map(
        ({ base, models: xs }) => base!.filter((b, i) => xs[m]![i]! !== b).length,
      );
      return (value * 100 * moved.reduce((a, b) => a + b, 0)) / total;
    });
  }
  const anyZero = isReleased(global) && (granularity === "module" || granularity === "matrix");
  if (anyZero && values.includes(0)) return equal;
  if (values.every((value) => value === 0)) {
    return isReleased(global) || global.zero_rule === "equal" ? equal : values.map(() => 0);
  }
  return toShares(values, global);
}

/** One element merged by shares from its own changes; the base where nothing changed. */
function mergeElement(base: number, xs: readonly number[], global: Values): number {
  const statistic = statisticOf(global) === "signed" ? "abs" : statisticOf(global);
  const values = xs.map((x) => changeOf(statistic, x - base));
  if (values.every((value) => value === 0)) return base;
  return toShares(values, global).reduce((sum, share, m) => sum + share * (xs[m]! - base), base);
}

const round = (value: number) =>
  toF32(fromF32(Float32Array.of(value), "BF16"), "BF16")[0] as number;

/**
 * One element as the released scripts compute it: rounded to bf16 once, and 0 where nothing
 * changed.
 */
function mergeElementReleased(base: number, xs: readonly number[], global: Values): number {
  const values = xs.map((x) => changeOf(statisticOf(global), x - base));
  const sum = Math.max(
    values.reduce((a, b) => a + b, 0),
    1e-13,
  );
  return round(xs.reduce((total, x, m) => total + (values[m]! / sum) * round(x), 0));
}

/** VaRM's reference in float64. */
export function referenceVarm(unit: readonly ReferenceTensor[]): readonly Float64Array[] {
  const perElement = granularityOf(unit[0]!.resolved.global) === "parameter";
  const computed = perElement ? null : unitShares(unit);
  return unit.map(({ resolved, base, models }) => {
    const { global } = resolved;
    const start = computed ?? models.map(() => 1 / models.length);
    const stated = applyStated(start, resolved.models);
    return base!.map((b, i) => {
      const xs = models.map((x) => x[i]!);
      if (perElement && !stated) {
        return isReleased(global)
          ? mergeElementReleased(b, xs, global)
          : mergeElement(b, xs, global);
      }
      const shares = stated ?? start;
      if (isReleased(global)) {
        return xs.reduce((total, x, m) => round(total + round(shares[m]! * round(x))), 0);
      }
      return xs.reduce((total, x, m) => total + shares[m]! * (x - b), b);
    });
  });
}
