import { describe, expect, test } from "vitest";
import { ADAPTER_METHODS, type AdapterMethod } from "../../contract/index.ts";
import { createRandom } from "../../core/random.ts";
import { type Factors, mergedRank, mergeFactors, type Share } from "./factors.ts";
import { type Matrix, multiply, transposed, zeros } from "./matrix.ts";
import { combine, type RuleSettings } from "./rules.ts";

const SETTINGS: RuleSettings = { density: 1, seed: 3, vote: "total" };
const [OUTPUTS, INPUTS] = [10, 14];

function random(rows: number, columns: number, next: () => number): Matrix {
  const matrix = zeros(rows, columns);
  for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = next() - 0.5;
  return matrix;
}

function share(rank: number, weight: number, seed: number): Share {
  const next = createRandom(seed);
  return { a: random(rank, INPUTS, next), bt: random(rank, OUTPUTS, next), scale: 1.5, weight };
}

const changeOf = ({ a, bt }: Factors) => multiply(transposed(bt), a);
const size = ({ values }: Matrix) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

function sum(shares: readonly Share[]): Matrix {
  const total = zeros(OUTPUTS, INPUTS);
  for (const each of shares) {
    const change = changeOf(each);
    for (let i = 0; i < total.values.length; i++) {
      total.values[i]! += each.weight * each.scale * change.values[i]!;
    }
  }
  return total;
}

const apart = (a: Matrix, b: Matrix) =>
  size({ ...a, values: a.values.map((value, i) => value - b.values[i]!) });
const rankOf = (method: AdapterMethod, shares: readonly Share[], wanted: number | null = null) =>
  mergedRank(
    method,
    shares.map(({ a }) => a.rows),
    { inputs: INPUTS, outputs: OUTPUTS },
    wanted,
  );
const named = (id: string) => ADAPTER_METHODS.find((method) => method.id === id)!;

test.each(["cat", "linear_core", "linear_knots"])("%s of mixed ranks is the exact sum", (id) => {
  const shares = [share(2, 0.7, 1), share(5, -1.2, 2), share(1, 0.3, 3)];
  const merged = mergeFactors(named(id), shares, rankOf(named(id), shares), SETTINGS, 0);
  expect(apart(changeOf(merged), sum(shares))).toBeLessThan(1e-13 * size(sum(shares)));
});

describe.each(ADAPTER_METHODS)("$id", (method) => {
  const shares = [share(3, 0.7, 1), share(3, 0.4, 2)];
  const merge = (some: readonly Share[]) =>
    changeOf(mergeFactors(method, some, rankOf(method, some), SETTINGS, 0));

  test("does not ask in which order the adapters come", () => {
    const [one, other] = [merge(shares), merge(shares.toReversed())];
    expect(apart(one, other)).toBeLessThan(1e-13 * size(one));
  });

  test("of adapters without a change is no change", () => {
    const still = shares.map((each) => ({ ...each, bt: zeros(3, OUTPUTS) }));
    expect(size(merge(still))).toBe(0);
  });

  test("of twice the weight is twice the change", () => {
    const heavier = shares.map((each) => ({ ...each, weight: 2 * each.weight }));
    const [one, twice] = [merge(shares), merge(heavier)];
    const doubled = { ...one, values: one.values.map((value) => 2 * value) };
    expect(apart(twice, doubled)).toBeLessThan(1e-13 * size(twice));
  });
});

test("a smaller rank keeps the closest change: what is lost are the other singular values", () => {
  const shares = [share(4, 1, 1), share(4, 1, 2)];
  const all = sum(shares);
  const losses = [8, 5, 2].map((rank) => {
    const method = named("cat");
    return apart(changeOf(mergeFactors(method, shares, rank, SETTINGS, 0)), all);
  });
  expect(losses[0]).toBeLessThan(1e-13);
  expect(losses[1]).toBeLessThan(losses[2]!);
  expect(rankOf(named("svd"), shares)).toBe(4);
  expect(rankOf(named("linear_core"), shares, 99)).toBe(8);
});

test("of equal magnitudes at the cut the first are kept, and density 0 keeps none", () => {
  const prune = (density: number) => [
    ...combine(
      "magnitude_prune",
      [Float64Array.of(1, -2, 2, -2, 3)],
      [1],
      { ...SETTINGS, density },
      0,
    ),
  ];
  expect(prune(0.6)).toEqual([0, -2, 2, 0, 3]);
  expect(prune(0)).toEqual([0, 0, 0, 0, 0]);
});

test("DARE keeps its share and the mean, and draws the same for the same seed", () => {
  const ones = new Float64Array(20_000).fill(1);
  const draw = (seed: number, module = 0) =>
    combine("dare_linear", [ones], [1], { ...SETTINGS, density: 0.25, seed }, module);
  const mean = draw(1).reduce((total, value) => total + value, 0) / ones.length;
  // Five standard errors of a mean of 20,000 values that are 4 with probability 1/4.
  expect(Math.abs(mean - 1)).toBeLessThan(5 * Math.sqrt(3 / ones.length));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(2)).not.toEqual(draw(1));
  expect(draw(1, 1)).not.toEqual(draw(1));
});
