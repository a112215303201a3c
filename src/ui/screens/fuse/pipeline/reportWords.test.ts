import { expect, test } from "vitest";
import type { EvaluationCell } from "../../../../engine/contract/index.ts";
import { spanOf, verdictOf } from "./reportWords.ts";

const cell = (bitsPerByte: number | null, interval: EvaluationCell["interval"]) =>
  ({ bitsPerByte, interval }) as EvaluationCell;

test("a column spans estimates and intervals, and leaves out what is not known", () => {
  const span = spanOf([cell(2, [1.8, 2.3]), cell(2.5, null), cell(null, null)]);
  expect(span).toEqual({ from: 1.8, to: 2.5 });
});

test("a difference is told apart only where its interval leaves out 0", () => {
  const verdict = (low: number, high: number) => verdictOf({ mean: 0, interval: [low, high] });
  expect(verdict(-0.2, -0.1)).toBe("better");
  expect(verdict(0.1, 0.2)).toBe("worse");
  expect(verdict(-0.1, 0.2)).toBe("not told apart");
  expect(verdict(0, 0.2)).toBe("not told apart");
  expect(verdict(-0.2, 0)).toBe("not told apart");
  expect(verdictOf({ mean: -1, rows: 4, interval: null })).toBe("too few rows");
});
