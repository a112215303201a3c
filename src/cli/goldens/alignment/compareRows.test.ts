import { expect, test } from "vitest";
import { compareCost, compareGroups, compareRows } from "./compareRows.ts";
import type { GoldenRow } from "./files.ts";
import { sparseRows } from "./runText.ts";

const ROWS: readonly GoldenRow[] = [
  [
    [5, 3],
    [2, 1],
  ],
  [[], []],
  [[7], [4]],
];
const changed = (row: GoldenRow) => compareRows(sparseRows(ROWS), [...ROWS.slice(0, 2), row]);

test("rows are equal in ids, and in values to five digits", () => {
  expect(compareRows(sparseRows(ROWS), ROWS).passed).toBe(true);
  expect(changed([[7], [4.00003]]).passed).toBe(true);
  expect(changed([[7], [4.00005]]).passed).toBe(false);
  expect(changed([[8], [4]]).passed).toBe(false);
  expect(changed([[], []]).passed).toBe(false);
  expect(compareRows(sparseRows(ROWS), ROWS.slice(1)).passed).toBe(false);
});

test("what the reference lists in no order is compared in ours", () => {
  const mixed: GoldenRow = [
    [3, 5],
    [1, 2],
  ];
  expect(compareRows(sparseRows(ROWS), [mixed, ...ROWS.slice(1)]).passed).toBe(true);
});

test("groups are equal, position by position", () => {
  const groups = { offsets: Uint32Array.of(0, 1, 3), positions: Uint32Array.of(0, 0, 1) };
  expect(compareGroups(groups, [[0], [0, 1]]).passed).toBe(true);
  for (const other of [[[0], [1]], [[0, 0], [1]], [[0]], [[0], [0, 1], [1]]]) {
    expect(compareGroups(groups, other).passed).toBe(false);
  }
});

test("costs are equal to five digits", () => {
  expect([compareCost(100, 100.0009).passed, compareCost(100, 100.002).passed]).toEqual([
    true,
    false,
  ]);
});
