import { expect, test } from "vitest";
import type { ExtraGroup } from "../../../engine/contract/index.ts";
import { extraRows } from "./extraRows.ts";

const group = (tensors: readonly string[], changes: Partial<ExtraGroup> = {}): ExtraGroup => ({
  tensors,
  has: ["b"],
  lacks: ["a"],
  outcome: "copy",
  ...changes,
});
const filters = (...extras: readonly ExtraGroup[]) => extraRows(extras).map(({ filter }) => filter);

test("what begins and ends alike is one pattern, and a name that stands alone is itself", () => {
  expect(filters(group(["mtp.fc.weight", "mtp.norm.weight", "v_head.weight"]))).toEqual([
    "mtp.*.weight",
    "v_head.weight",
  ]);
});

test("a pattern keeps what all names end with", () => {
  const biases = [0, 1].flatMap((i) =>
    ["q", "k"].map((matrix) => `model.layers.${i}.${matrix}_proj.bias`),
  );
  expect(filters(group(biases))).toEqual(["model.layers.*.bias"]);
});

test("a pattern does not reach into another group", () => {
  const mine = ["model.mtp.fc.weight", "model.mtp.norm.weight", "model.extra.weight"];
  const other = group(["model.visual.a.weight", "model.visual.b.weight"], { has: ["c"] });
  expect(filters(group(mine), other)).toEqual([
    "model.mtp.*.weight",
    "model.extra.weight",
    "model.visual.*.weight",
  ]);
});

test("names whose words tell nothing apart are listed one by one", () => {
  const mine = group(["x.a.weight", "x.c.weight"]);
  expect(filters(mine, group(["x.b.weight"], { has: ["c"] }))).toEqual([
    "x.a.weight",
    "x.c.weight",
    "x.b.weight",
  ]);
});

test("every tensor is in one row, and what forbids the merge comes first", () => {
  const kept = group(["a.x", "a.y", "b"]);
  const lacking = group(["c.x", "c.y"], { has: ["b", "c"], outcome: "refuse" });
  const rows = extraRows([kept, lacking]);
  expect(rows[0]).toMatchObject({ filter: "c.*", outcome: "refuse", has: ["b", "c"] });
  expect(rows.flatMap(({ tensors }) => tensors).toSorted()).toEqual([
    "a.x",
    "a.y",
    "b",
    "c.x",
    "c.y",
  ]);
});
