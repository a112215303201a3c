import { describe, expect, test } from "vitest";
import type { TrainBatch } from "./batch.ts";
import { angleTable, documentTables, groupRows, rowEntropy } from "./tables.ts";

const BATCH: TrainBatch = {
  ids: Uint32Array.from([5, 1, 5, 5, 2]),
  documents: [0, 2],
  labels: Uint32Array.from([1, 0, 5, 2, 0]),
  weights: Float32Array.from([1, 0, 1, 1, 0]),
  fused: {
    starts: Uint32Array.from([0, 2, 2, 3, 3, 3]),
    ids: Uint32Array.from([1, 2, 3]),
    probabilities: Float32Array.from([0.25, 0.75, 1]),
  },
  lambda: 0.9,
};

test("rows are grouped by their key, in order", () => {
  const { groups, lists } = groupRows(BATCH.ids);
  expect(groups).toBe(3);
  const [keys, starts, order] = [lists.slice(0, 3), lists.slice(3, 7), lists.slice(7)];
  expect([...keys]).toEqual([1, 2, 5]);
  expect([...starts]).toEqual([0, 1, 2, 5]);
  expect([...order]).toEqual([1, 4, 0, 2, 3]);
});

test("rows of an excepted key are left out", () => {
  const { groups, lists } = groupRows(BATCH.ids, 5);
  expect(groups).toBe(2);
  expect([...lists]).toEqual([1, 2, 0, 1, 2, 1, 4]);
});

test("tokens know their document's start and their place in it", () => {
  const { starts, positions } = documentTables(BATCH);
  expect([...starts]).toEqual([0, 0, 2, 2, 2]);
  expect([...positions]).toEqual([0, 1, 0, 1, 2]);
});

test("angles count from the document's start", () => {
  const rope = { theta: 100, dims: 4, pairs: 2, scaling: { kind: "none" } } as const;
  const table = angleTable(rope, BATCH);
  expect(table.length).toBe(5 * 2 * 2);
  expect(table.slice(0, 8)).toEqual(table.slice(8, 16));
  expect(table[16]).toBeCloseTo(Math.cos(2), 6);
  expect(table[17]).toBeCloseTo(Math.sin(2), 6);
});

describe("a fused row's entropy", () => {
  test("is that of its probabilities", () => {
    const want = -(0.25 * Math.log(0.25) + 0.75 * Math.log(0.75));
    expect(rowEntropy(BATCH, 0)).toBeCloseTo(want, 12);
  });
  test("is nothing for one token, and where there is no row", () => {
    expect([1, 2, 3].map((t) => rowEntropy(BATCH, t))).toEqual([0, 0, 0]);
    expect(rowEntropy({ ...BATCH, fused: null }, 0)).toBe(0);
  });
});
