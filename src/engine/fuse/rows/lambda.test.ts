import { expect, test } from "vitest";
import { scheduledLambda, softLambda } from "./lambda.ts";

test("λ stays, or goes to 1 with the steps", () => {
  expect(scheduledLambda("hard", 0.9, { step: 50, steps: 100 })).toBe(0.9);
  const decay = (step: number) => scheduledLambda("hard_and_decay", 0.9, { step, steps: 100 });
  expect([0, 30, 100, 200].map(decay)).toEqual([0.9, 0.93, 1, 1].map((x) => expect.closeTo(x, 12)));
  expect(scheduledLambda("hard_and_decay", 0.9, { step: 0, steps: 0 })).toBe(1);
});

test("soft λ is what the teachers leave", () => {
  expect(softLambda([0.3, 0.4, 0.2], "mince")).toBeCloseTo(0.6, 12);
  expect(softLambda([0.3, 0.4, 0.2], "avgce")).toBeCloseTo(0.7, 12);
  expect(softLambda([0.3, Number.NaN], "avgce")).toBeCloseTo(0.7, 12);
  expect(softLambda([Number.NaN], "mince")).toBe(1);
});
