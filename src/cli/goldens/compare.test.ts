import { expect, test } from "vitest";
import { bf16Ulp, combine, compareValues } from "./compare.ts";

const values = (...numbers: number[]) => Float64Array.from(numbers);
const within = (bound: number) => () => bound;

test("an error of exactly the bound passes, one beyond it does not", () => {
  expect(compareValues(values(1.5), values(1), within(0.5)).passed).toBe(true);
  expect(compareValues(values(1.5 + 2 ** -40), values(1), within(0.5)).passed).toBe(false);
});

test.each([
  ["a NaN that should be a number", values(Number.NaN), values(1)],
  ["a number that should be NaN", values(1), values(Number.NaN)],
  [
    "an infinity of the other sign",
    values(Number.NEGATIVE_INFINITY),
    values(Number.POSITIVE_INFINITY),
  ],
  ["a zero that should be an infinity", values(0), values(Number.POSITIVE_INFINITY)],
  ["too few values", values(1), values(1, 1)],
])("%s fails whatever the bound", (_, got, want) => {
  const bound = Number.MAX_VALUE;
  expect(compareValues(got, want, within(bound)).passed).toBe(false);
});

test("only the stated share of all elements may be outside", () => {
  const got = values(0, 0, 0, 9);
  const want = values(0, 0, 0, 0);
  expect(compareValues(got, want, within(1), { mayDiffer: 0.25 }).passed).toBe(true);
  expect(compareValues(got, want, within(1), { mayDiffer: 0.24 }).passed).toBe(false);
});

test("an ambiguous element counts neither for nor against", () => {
  const ignored = values(0, 1);
  const { passed, maxAbsError } = compareValues(values(1, 9), values(1, 0), within(0), { ignored });
  expect({ passed, maxAbsError }).toEqual({ passed: true, maxAbsError: 0 });
});

test("one failure among many fails the whole, and nothing compared is no success", () => {
  const good = { passed: true, maxAbsError: 1, bound: 2 };
  expect(combine([good, { ...good, passed: false }]).passed).toBe(false);
  expect(combine([]).passed).toBe(false);
});

test("a bf16 ulp is the distance to the next bf16 value", () => {
  expect([1, 1.99, 2, -0.5, 0].map(bf16Ulp)).toEqual([
    2 ** -7,
    2 ** -7,
    2 ** -6,
    2 ** -8,
    2 ** -133,
  ]);
});
