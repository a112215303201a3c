import type { Facts, UnitTensor } from "../../method.ts";

export type Statistic = "square" | "abs" | "signed";

/** Index of each statistic among the sums of shaders/reduce/delta.wgsl. */
const FACT_OF = { signed: 0, square: 1, abs: 2 } as const satisfies Record<Statistic, number>;

const MOVED = 3;

/** How a unit's sums become one number per model. */
export interface Measure {
  readonly statistic: Statistic;
  /**
   * `pooled`: mean over all elements of the unit; `sum of means`: sum of the tensors' means, as
   * FuseChat's analysis does for layers and modules.
   */
  readonly over: "pooled" | "sum of means";
}

/**
 * Statistic e of each model over a unit, signed where the statistic is (arXiv 2402.16107, Eq. 7).
 */
export function measureUnit(unit: readonly UnitTensor[], { statistic, over }: Measure): number[] {
  const elements = unit.reduce((sum, { elementCount }) => sum + elementCount, 0);
  return unit[0]!.facts.map((_, m) => {
    const sums = unit.map(({ facts }) => (facts[m] as Facts)[FACT_OF[statistic]]);
    if (over === "pooled") return sums.reduce((a, b) => a + b, 0) / Math.max(elements, 1);
    return sums.reduce((total, sum, i) => total + sum / Math.max(unit[i]!.elementCount, 1), 0);
  });
}

/** Percentage of elements that changed, per model (FuseChat's `diff_rate`). */
export function measureMoved(unit: readonly UnitTensor[]): number[] {
  const elements = unit.reduce((sum, { elementCount }) => sum + elementCount, 0);
  return unit[0]!.facts.map(
    (_, m) => (100 * unit.reduce((sum, { facts }) => sum + facts[m]![MOVED], 0)) / elements,
  );
}

/** Values divided by their sum; null where all are 0. */
export function normaliseSum(values: readonly number[]): number[] | null {
  const sum = values.reduce((a, b) => a + b, 0);
  return sum === 0 ? null : values.map((value) => value / sum);
}

/** softmax(v / temperature). */
export function normaliseSoftmax(values: readonly number[], temperature: number): number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp((value - largest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

export function equalShares(models: number): number[] {
  return Array.from({ length: models }, () => 1 / models);
}
