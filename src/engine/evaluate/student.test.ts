import { expect, test } from "vitest";
import { studentQuantile } from "./student.ts";

/** Tables of t to three decimals, and closed forms. */
test.each([
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [4, 2.776],
  [9, 2.262],
  [19, 2.093],
  [30, 2.042],
  [120, 1.98],
  [1e6, 1.96],
])("with %i degrees of freedom 95 %% lie within %f", (freedom, t) => {
  expect(Math.abs(studentQuantile(0.95, freedom) - t)).toBeLessThanOrEqual(5.1e-4);
});

test.each([0.5, 0.9, 0.95, 0.99])(
  "%f within: tan of the angle for one, a root for two",
  (inside) => {
    // Cauchy's distribution, and P(|T| ≤ t) = t / √(2 + t²).
    const one = Math.tan((Math.PI * inside) / 2);
    expect(Math.abs(studentQuantile(inside, 1) / one - 1)).toBeLessThanOrEqual(1e-10);
    const two = inside * Math.sqrt(2 / (1 - inside ** 2));
    expect(Math.abs(studentQuantile(inside, 2) / two - 1)).toBeLessThanOrEqual(1e-10);
  },
);

test("falls with the degrees of freedom, whole or not", () => {
  const quantiles = [1, 1.3, 2, 2.5, 4.9, 5, 17.2, 400].map((f) => studentQuantile(0.95, f));
  expect(quantiles).toEqual(quantiles.toSorted((a, b) => b - a));
});
