import { expect, test } from "vitest";
import type { WeightCell, WeightMap } from "../../engine/contract/index.ts";
import { describeCell, layoutMap } from "./mapLayout.ts";

const LEGEND = {
  names: ["tales", "drama"],
  colours: ["blue", "orange"],
  base: "base",
  baseColour: "grey",
};

const cell = (tensor: string, changes: Partial<WeightCell>): WeightCell => ({
  tensor,
  layer: null,
  column: tensor,
  group: "other",
  shape: [2, 2],
  elementCount: 4,
  shares: [0.25, 0.75],
  spread: null,
  change: [0.1, 0.1],
  locked: false,
  merged: true,
  ...changes,
});

const map = (cells: readonly WeightCell[]): WeightMap => ({
  models: ["tales", "drama"],
  cells,
  measured: cells.length,
  total: cells.length,
  headline: "",
  summary: [],
});

const CELLS = [
  cell("lm_head", { column: "head", group: "head" }),
  cell("l10.ln", { layer: 10, column: "ln₁", group: "norm" }),
  cell("l10.q", { layer: 10, column: "q", group: "attention" }),
  cell("l2.q", { layer: 2, column: "q", group: "attention" }),
  cell("l2.gate", { layer: 2, column: "gate", group: "mlp" }),
  cell("l2.ln", { layer: 2, column: "ln₁", group: "norm" }),
  cell("embed", { column: "embed", group: "embedding" }),
];

test("embeddings stand above the stack, layers in number order, the rest below", () => {
  const { rows } = layoutMap(map(CELLS), LEGEND);
  expect(rows.map(({ heading }) => heading)).toEqual(["embed", "2", "10", "head"]);
});

test("columns stand by group with a gap between groups, whatever the files' order", () => {
  const { columns } = layoutMap(map(CELLS), LEGEND);
  expect(columns.map(({ heading, gap }) => `${gap ? "| " : ""}${heading}`)).toEqual([
    "q",
    "| gate",
    "| ln₁",
  ]);
});

test("a layer that lacks a column leaves its place empty", () => {
  const { rows } = layoutMap(map(CELLS), LEGEND);
  expect(rows[2]?.cells.map(({ column }) => column)).toEqual([0, 2]);
});

test("what is outside the stack spans all columns", () => {
  expect(layoutMap(map(CELLS), LEGEND).rows[0]?.cells[0]?.span).toBe(3);
});

test("two tensors of one heading in a layer both have a place", () => {
  const twins = [
    cell("l0.q.weight", { layer: 0, column: "q", group: "attention" }),
    cell("l0.q.bias", { layer: 0, column: "q", group: "attention" }),
  ];
  const { rows } = layoutMap(map(twins), LEGEND);
  expect(rows[0]?.cells.map(({ column }) => column)).toEqual([0, 1]);
});

test("tensors without any layer still make a grid", () => {
  const { columns, rows } = layoutMap(map([cell("a", {}), cell("b", {})]), LEGEND);
  expect(columns).toHaveLength(1);
  expect(rows).toHaveLength(2);
});

test("a cell says what a reader must know of it", () => {
  const gate = CELLS[4] as WeightCell;
  expect(describeCell(gate, LEGEND)).toContain("Layer 2 · gate: tales 0.250, drama 0.750");
  expect(describeCell({ ...gate, shares: null }, LEGEND)).toContain("not measured");
  expect(describeCell({ ...gate, merged: false }, LEGEND)).toContain("copied");
  expect(describeCell({ ...gate, locked: true }, LEGEND)).toContain("locked");
  expect(describeCell({ ...gate, shares: [0.25, 0.25] }, LEGEND)).toContain("base 0.500");
});
