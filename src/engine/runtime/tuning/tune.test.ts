import { expect, test } from "vitest";
import { pickWinner } from "./tune.ts";

test.each([
  ["another that is clearly faster", { rule: 10, other: 5 }, "other"],
  ["the rule, which is faster", { rule: 5, other: 10 }, "rule"],
  ["the rule, which is slower by less than the margin", { rule: 10, other: 9.5 }, "rule"],
  ["the fastest of several", { rule: 10, other: 8, third: 4, fourth: 5 }, "third"],
])("a contest is won by %s", (_, ms, winner) => {
  expect(pickWinner(new Map(Object.entries(ms)), "rule", 1.1)).toBe(winner);
});
