import { expect, test } from "vitest";
import { drawKey } from "../merge/methods/taskVectors/philox.ts";
import { conditionNumber } from "./condition.ts";
import { normalDraws, uniformDraws } from "./draws.ts";

const KEY = drawKey(1, "gate", "m");
const COUNT = 40_000;

test.each([
  ["normal", normalDraws, 1],
  ["uniform", uniformDraws, 1 / 3],
] as const)(
  "%s draws have their mean and variance, and do not depend on the range read",
  (_, draw, variance) => {
    const all = draw(KEY, 0, COUNT);
    const mean = all.reduce((sum, value) => sum + value, 0) / COUNT;
    const square = all.reduce((sum, value) => sum + value * value, 0) / COUNT;
    // Five standard errors; the square of a normal draw scatters by √2.
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    expect(Math.abs(square - variance)).toBeLessThan(5 * Math.sqrt(2 / COUNT));
    for (const [first, count] of [
      [0, 1],
      [1, 1],
      [3, 6],
      [1000, 17],
    ] as const) {
      expect(draw(KEY, first, count)).toEqual(all.slice(first, first + count));
    }
  },
);

test("normal draws reach as far as normal draws do", () => {
  const all = normalDraws(KEY, 0, COUNT);
  const beyond = (limit: number) => all.filter((value) => Math.abs(value) > limit).length / COUNT;
  // P(|z| > 1) and P(|z| > 2), within five standard errors.
  expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(5 * Math.sqrt((0.3173 * 0.6827) / COUNT));
  expect(Math.abs(beyond(2) - 0.0455)).toBeLessThan(5 * Math.sqrt((0.0455 * 0.9545) / COUNT));
});

test.each([
  ["orthogonal rows", [1, 0, 0, 0, 2, 0], 2, 2],
  ["three rows", [3, 0, 0, 0, 1, 0, 0, 0, 0.5], 3, 6],
  ["more rows than columns", [3, 0, 0, 1, 0, 0], 3, 3],
  // [[1, 1], [1, 1 + e]]: numpy.linalg.cond of e = 0.1.
  ["nearly dependent rows", [1, 1, 1, 1.1], 2, 42.076214],
] as const)(
  "the condition number of %s is that of its singular values",
  (_, values, rows, want) => {
    const condition = conditionNumber(Float32Array.from(values), rows);
    // float32 holds 1.1 to 2⁻²⁴, which a matrix of condition 42 makes 42 times as much.
    expect(Math.abs(condition / want - 1)).toBeLessThan(1e-5);
  },
);

test("dependent rows have an infinite one", () => {
  const rows = Float32Array.of(1, 2, 2, 4);
  expect(conditionNumber(rows, 2)).toBeGreaterThan(1e7);
});
