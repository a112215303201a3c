import { expect, test } from "vitest";
import type { EvaluationCell } from "../../../engine/contract/index.ts";
import {
  cellsWithDomains,
  halfWidth,
  judge,
  nextOrder,
  orderModels,
  tabulate,
  tabulateDomains,
  toCsv,
} from "./evaluationTable.ts";

function cell(model: string, dataset: string, bitsPerByte: number | null): EvaluationCell {
  return {
    model,
    dataset,
    rows: 10,
    tokens: 100,
    bytes: 400,
    natsPerToken: 2.5,
    bitsPerByte,
    interval: bitsPerByte === null ? null : [bitsPerByte - 0.1, bitsPerByte + 0.1],
    difference: null,
  };
}

const CELLS = [
  cell("base", "tales", 2),
  cell("base", "maths", 3),
  cell("merged", "tales", 1.5),
  cell("merged", "maths", null),
  cell("drama", "tales", 2.5),
  cell("drama", "maths", 1),
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
  [null, "too few rows"],
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
  expect(head?.split(",")).toHaveLength(13);
  expect(first).toBe('"a,""b""",\'=1+1,,10,100,400,2.5,2,1.9,2.1,-0.5,-0.6,-0.4');
  expect(second).toBe("c,d,,10,100,400,,,,,,,");
});

function withDomains(model: string, values: readonly (number | null)[]): EvaluationCell {
  const domains = values.map((bitsPerByte, i) => {
    const { model: _, dataset: __, ...figures } = cell(model, "tales", bitsPerByte);
    const domain =
      i === 0 ? ({ kind: "named", name: "=fables" } as const) : ({ kind: "none" } as const);
    return { ...figures, rows: bitsPerByte === null ? 0 : 4 + i, domain };
  });
  return { ...cell(model, "tales", 2), domains };
}
const BY_DOMAIN = [withDomains("base", [1, null]), withDomains("merged", [2, 3])];

test("only datasets of several domains are told domain by domain, one table each", () => {
  expect(cellsWithDomains([...BY_DOMAIN, cell("base", "maths", 1)])).toEqual([BY_DOMAIN]);
  expect(cellsWithDomains(CELLS)).toEqual([]);
});

test("a domain's row has every model's figures and the rows that were asked for", () => {
  const { models, domains, count } = tabulateDomains(BY_DOMAIN);
  expect(models).toEqual(["base", "merged"]);
  expect(domains.map(({ domain, rows }) => [domain.kind, rows])).toEqual([
    ["named", 4],
    ["none", 5],
  ]);
  expect(domains[1]?.figures.map((one) => one?.bitsPerByte)).toEqual([null, 3]);
  expect(count).toBe(1);
});

test("CSV has the whole dataset first, then its domains", () => {
  const lines = toCsv(BY_DOMAIN.slice(1)).split("\r\n").slice(1, 4);
  expect(lines.map((line) => line.split(",").slice(0, 4))).toEqual([
    ["merged", "tales", "", "10"],
    ["merged", "tales", "'=fables", "4"],
    ["merged", "tales", "no domain given", "5"],
  ]);
});
