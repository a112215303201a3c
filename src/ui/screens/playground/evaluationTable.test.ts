import { expect, test } from "vitest";
import type { EvaluationCell } from "../../../engine/contract/index.ts";
import { halfWidth, judge, nextOrder, orderModels, tabulate, toCsv } from "./evaluationTable.ts";

function cell(model: string, dataset: string, bitsPerByte: number | null): EvaluationCell {
  return {
    ...{ model, dataset, rows: 10, tokens: 100, bytes: 400, natsPerToken: 2.5, bitsPerByte },
    interval: bitsPerByte === null ? null : [bitsPerByte - 0.1, bitsPerByte + 0.1],
    difference: null,
  };
}

const CELLS = [
  ...[cell("base", "tales", 2), cell("base", "maths", 3)],
  ...[cell("merged", "tales", 1.5), cell("merged", "maths", null)],
  ...[cell("drama", "tales", 2.5), cell("drama", "maths", 1)],
];
const TABLE = tabulate(CELLS);

test("models and datasets keep the order of the evaluation", () => {
  expect(TABLE.models).toEqual(["base", "merged", "drama"]);
  expect(TABLE.datasets).toEqual(["tales", "maths"]);
  expect(TABLE.cell("drama", "maths")?.bitsPerByte).toBe(1);
});

test("a heading sorts upwards, downwards, and then not at all", () => {
  const none = { dataset: null, descending: false };
  const up = nextOrder(none, "tales");
  const down = nextOrder(up, "tales");
  expect(orderModels(TABLE, up)).toEqual(["merged", "base", "drama"]);
  expect(orderModels(TABLE, down)).toEqual(["drama", "base", "merged"]);
  expect(nextOrder(down, "tales")).toEqual(none);
  expect(orderModels(TABLE, nextOrder(down, "maths"))).toEqual(["drama", "base", "merged"]);
});

test("a model without a number comes last in both directions", () => {
  expect(orderModels(TABLE, { dataset: "maths", descending: true }).at(-1)).toBe("merged");
});

test.each([
  [[-0.2, -0.1], "better"],
  [[0.1, 0.2], "worse"],
  [[-0.1, 0.2], "no clear difference"],
  [[0, 0.2], "no clear difference"],
] as const)("an interval of %j is %s", (interval, words) => expect(judge(interval)).toBe(words));

test("what stands after ± is half the interval", () => {
  expect(halfWidth([1, 1.5])).toBe(0.25);
  expect(halfWidth(null)).toBeNull();
});

test("CSV quotes names, disarms formulas and leaves unknown numbers empty", () => {
  const difference = { mean: -0.5, interval: [-0.6, -0.4] as const };
  const csv = toCsv([
    { ...cell('a,"b"', "=1+1", 2), difference },
    { ...cell("c", "d", null), natsPerToken: null },
  ]);
  const [head, first, second] = csv.split("\r\n");
  expect(head?.split(",")).toHaveLength(12);
  expect(first).toBe('"a,""b""",\'=1+1,10,100,400,2.5,2,1.9,2.1,-0.5,-0.6,-0.4');
  expect(second).toBe("c,d,10,100,400,,,,,,,");
});
