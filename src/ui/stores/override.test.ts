import { describe, expect, test } from "vitest";
import type { Recipe, Settings } from "../../engine/contract/index.ts";
import { moveShare, overrideShares, releaseShares } from "./override.ts";

const GATE = "model.layers.3.mlp.gate_proj.weight";

const recipe = (a: Settings = {}, parameters: Settings = {}): Recipe => ({
  method: "varm",
  base: "base",
  models: [
    { model: "a", parameters: a },
    { model: "b", parameters: {} },
  ],
  parameters,
});

const settingOf = (result: Recipe, index = 0, name = "weight") =>
  result.models[index]?.parameters[name];

describe("stating one tensor's shares", () => {
  test("writes one filter entry per model", () => {
    const result = overrideShares(recipe(), "weight", GATE, [0.25, 0.75]);
    expect(settingOf(result, 0)).toEqual([{ filter: GATE, value: 0.25 }]);
    expect(settingOf(result, 1)).toEqual([{ filter: GATE, value: 0.75 }]);
  });

  test("keeps a model's own scalar or gradient for every other tensor", () => {
    expect(settingOf(overrideShares(recipe({ weight: 1 }), "weight", GATE, [0, 1]))).toEqual([
      { filter: GATE, value: 0 },
      { value: 1 },
    ]);
    const gradient = recipe({ weight: [0, 0.5, 1] });
    expect(settingOf(overrideShares(gradient, "weight", GATE, [0, 1]))).toEqual([
      { filter: GATE, value: 0 },
      { value: [0, 0.5, 1] },
    ]);
  });

  test("falls back to the recipe's own setting where the model has none", () => {
    const result = overrideShares(recipe({}, { weight: 0.5 }), "weight", GATE, [0.1, 0.9]);
    expect(settingOf(result, 1)).toEqual([{ filter: GATE, value: 0.9 }, { value: 0.5 }]);
  });

  test("replaces an earlier entry for the same tensor instead of adding another", () => {
    const once = overrideShares(recipe(), "weight", GATE, [0.2, 0.8]);
    const twice = overrideShares(once, "weight", GATE, [0.3, 0.7]);
    expect(settingOf(twice)).toEqual([{ filter: GATE, value: 0.3 }]);
  });

  test("stands before a person's wider filters, which would match first", () => {
    const wide = recipe({ weight: [{ filter: "mlp", value: 0.4 }, { value: 1 }] });
    expect(settingOf(overrideShares(wide, "weight", GATE, [0.1, 0.9]))).toEqual([
      { filter: GATE, value: 0.1 },
      { filter: "mlp", value: 0.4 },
      { value: 1 },
    ]);
  });

  test("stands behind a longer name that contains it, which it would swallow", () => {
    const first = overrideShares(recipe(), "weight", "model.norm.weight", [0.2, 0.8]);
    expect(settingOf(overrideShares(first, "weight", "norm.weight", [0.5, 0.5]))).toEqual([
      { filter: "model.norm.weight", value: 0.2 },
      { filter: "norm.weight", value: 0.5 },
    ]);
  });
});

describe("releasing them", () => {
  test.each([
    ["nothing", {}],
    ["a scalar", { weight: 1 }],
    ["a gradient", { weight: [0, 1] }],
    ["a list of filters", { weight: [{ filter: "mlp", value: 0.4 }, { value: 1 }] }],
  ] satisfies readonly (readonly [string, Settings])[])("gives back %s", (_, settings) => {
    const before = recipe(settings);
    const after = releaseShares(overrideShares(before, "weight", GATE, [0, 1]), "weight", GATE);
    expect(after).toEqual(before);
  });

  test("leaves other tensors stated", () => {
    const two = overrideShares(
      overrideShares(recipe(), "weight", GATE, [0, 1]),
      "weight",
      "lm_head.weight",
      [1, 0],
    );
    expect(settingOf(releaseShares(two, "weight", GATE))).toEqual([
      { filter: "lm_head.weight", value: 1 },
    ]);
  });
});

describe("moving one share", () => {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

  test("keeps the sum and the proportion of the others", () => {
    const moved = moveShare([0.2, 0.3, 0.5], 2, 0.1);
    expect(Math.abs(sum(moved) - 1)).toBeLessThanOrEqual(1e-12);
    expect(Math.abs((moved[1] ?? 0) / (moved[0] ?? 1) - 1.5)).toBeLessThanOrEqual(1e-12);
  });

  test("shares out evenly what the others have no proportion for", () => {
    expect(moveShare([1, 0, 0], 0, 0.5)).toEqual([0.5, 0.25, 0.25]);
  });
});
