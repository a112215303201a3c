import { expect, test } from "vitest";
import { isConverged } from "./convergence.ts";

/** What is kept after so many steps of a subspace that closes in on 1 by `ratio`. */
const closingIn = (ratio: number, steps: number) =>
  Array.from({ length: steps }, (_, i) => 1 - ratio ** (i + 1));

test.each([0.1, 0.5, 0.7, 0.85])(
  "gains that shrink by %d stop within 2e-4 of the whole",
  (ratio) => {
    let steps = 1;
    while (!isConverged(closingIn(ratio, steps))) steps++;
    expect(1 - closingIn(ratio, steps).at(-1)!).toBeLessThanOrEqual(2e-4);
    // And not long after that.
    expect(1 - closingIn(ratio, steps - 2).at(-1)!).toBeGreaterThan(1e-7);
  },
);

test("two steps are not enough, and what no longer grows is converged", () => {
  expect(isConverged([1])).toBe(false);
  expect(isConverged([1, 1])).toBe(false);
  expect(isConverged([1, 1, 1])).toBe(true);
  expect(isConverged([1, 1.0000001, 1])).toBe(true);
});

test("gains that do not shrink go on", () => {
  expect(isConverged([1, 1.00001, 1.00002])).toBe(false);
});
