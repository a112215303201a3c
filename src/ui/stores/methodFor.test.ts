import { expect, test } from "vitest";
import type { MethodCard } from "../../engine/contract/index.ts";
import { findMethodFor, takesBase } from "./methodFor.ts";

const card = (id: string, base: MethodCard["base"], min: number, max: number): MethodCard => ({
  id,
  title: id,
  summary: "",
  paper: { label: "", url: "" },
  base,
  models: { min, max },
  params: [],
  override: null,
  mergekit: true,
});
const SLERP = card("slerp", "required", 1, 1);
const NUSLERP = card("nuslerp", "optional", 2, 2);
const LINEAR = card("linear", "none", 1, 64);
const VARM = card("varm", "required", 1, 64);
const ALL = [LINEAR, NUSLERP, SLERP, VARM];

test.each([
  ["slerp", 2, "slerp"],
  ["slerp", 4, "varm"],
  ["nuslerp", 2, "nuslerp"],
  ["nuslerp", 3, "nuslerp"],
  ["nuslerp", 4, "varm"],
  ["linear", 4, "linear"],
  ["gone", 3, "varm"],
])("%s with %i models leads to %s", (wanted, count, found) => {
  expect(findMethodFor(ALL, wanted, count)?.id).toBe(found);
});

test("a base is taken only where the others are still enough", () => {
  expect(takesBase(NUSLERP, 3)).toBe(true);
  expect(takesBase(NUSLERP, 2)).toBe(false);
  expect(takesBase(LINEAR, 3)).toBe(false);
});

test("where nothing is known yet there is no method", () => {
  expect(findMethodFor([], "varm", 2)).toBeUndefined();
});
