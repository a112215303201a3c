import { expect, test } from "vitest";
import type { Distribution, FusedRow } from "../../engine/contract/index.ts";
import { barScale, distributionRows } from "./distributionRows.ts";

const distribution = (...entries: readonly (readonly [number, number])[]): Distribution => ({
  entries: entries.map(([id, probability]) => ({ id, text: `t${id}`, probability })),
  tail: 0.1,
  nats: 1,
});
const member = (aligned: Distribution | null) => ({
  model: "m",
  reason: null,
  own: null,
  aligned,
  weight: 0,
  metric: null,
});
const row = (gold: number): FusedRow => ({
  document: 0,
  row: 0,
  position: 0,
  winner: 1,
  gold: { id: gold, text: `t${gold}` },
  members: [
    member(distribution([5, 0.4], [7, 0.2])),
    member(distribution([7, 0.3], [9, 0.25])),
    member(null),
  ],
  fused: distribution([7, 0.3], [9, 0.25]),
});

test("the fused distribution's likeliest come first, then what others hold likely", () => {
  const rows = distributionRows(row(7));
  expect(rows.map(({ id }) => id)).toEqual([7, 9, 5]);
  expect(rows[0]).toEqual({ id: 7, text: "t7", gold: true, cells: [0.2, 0.3, null, 0.3] });
  expect(rows[2]?.cells).toEqual([0.4, null, null, null]);
});

test("the token that follows is there even where nobody kept it", () => {
  const rows = distributionRows(row(3));
  expect(rows.at(-1)).toEqual({ id: 3, text: "t3", gold: true, cells: [null, null, null, null] });
});

test("bars end at the first round value that holds them all", () => {
  const rows = distributionRows(row(7));
  expect(barScale(rows, [])).toBe(0.5);
  expect(barScale(rows, [0.6])).toBe(1);
  expect(barScale([], [])).toBe(0.1);
});
