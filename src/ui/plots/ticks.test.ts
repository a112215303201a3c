import { expect, test } from "vitest";
import { thinned, tickLabels, ticks } from "./ticks.ts";

test("ticks are round, between the ends, two to seven", () => {
  expect(ticks(0, 10)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(ticks(1, 24)).toEqual([5, 10, 15, 20]);
  expect(tickLabels(ticks(2.03, 2.31))).toEqual(["2.1", "2.2", "2.3"]);
  for (const [low, high] of [
    [-3, 5],
    [1e-5, 9e-4],
    [0, 12_345],
    [2.999, 3.001],
  ] as const) {
    const all = ticks(low, high);
    expect(all.length).toBeGreaterThanOrEqual(2);
    expect(all.length).toBeLessThanOrEqual(7);
    for (const each of all) {
      expect(each).toBeGreaterThanOrEqual(low);
      expect(each).toBeLessThanOrEqual(high * (1 + 1e-12));
    }
  }
});

test("ends that do not differ have one tick", () => {
  expect(ticks(3, 3)).toEqual([3]);
  expect(ticks(3, Number.NaN)).toEqual([3]);
});

test("labels have the decimals that tell ticks apart", () => {
  expect(tickLabels([2, 2.1, 2.2])).toEqual(["2.0", "2.1", "2.2"]);
  expect(tickLabels([0, 50, 100])).toEqual(["0", "50", "100"]);
  expect(tickLabels([-0.05, 0, 0.05])).toEqual(["−0.05", "0.00", "0.05"]);
  expect(tickLabels([0, 2e-4, 4e-4])).toEqual(["0", "2e−4", "4e−4"]);
  expect(tickLabels([3])).toEqual(["3"]);
});

test("thinning keeps the last and no more than asked", () => {
  const values = Array.from({ length: 101 }, (_, at) => at);
  expect(thinned(values, 200)).toEqual(values);
  const few = thinned(values, 10);
  expect(few.length).toBeLessThanOrEqual(10);
  expect(few.at(-1)).toBe(100);
});
