import { describe, expect, test } from "vitest";
import type { Recipe } from "../../contract/index.ts";
import type { Facts } from "../method.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { planMerge } from "../plan/plan.ts";
import { findMethod } from "../registry.ts";
import { type Measured, NOTHING_MEASURED } from "../run/measured.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import { makeWeightMap } from "./weightMap.ts";

const Q0 = "model.layers.0.self_attn.q_proj.weight";
const Q1 = "model.layers.1.self_attn.q_proj.weight";
const NORM = "model.norm.weight";
const TENSORS: Tensors = { [Q0]: ["F32", [2, 2]], [Q1]: ["F32", [2, 2]], [NORM]: ["F32", [4]] };

const named = (b: Tensors = TENSORS) =>
  new Map(["base", "a", "b"].map((name) => [name, makeModel(name, name === "b" ? b : TENSORS)]));

function plan(recipe: Partial<Recipe>, b: Tensors = TENSORS): Plan {
  const full = { method: "varm", base: "base", parameters: {}, models: [], ...recipe };
  const models = recipe.models ?? ["a", "b"].map((model) => ({ model, parameters: {} }));
  return planMerge({
    method: findMethod(full.method),
    recipe: { ...full, models },
    checkpoints: named(b),
    shardBytes: 1e9,
    budget: { tileBytes: 1e6, slots: 3 },
  });
}

/** Σδ, Σδ², Σ|δ|, moved elements. */
const moved = (square: number): Facts => [0, square, 0, 4];
const table = (
  rules: Readonly<Record<string, Readonly<Record<string, readonly Facts[]>>>>,
): Measured => ({
  facts: new Map(
    Object.entries(rules).map(([rule, tensors]) => [rule, new Map(Object.entries(tensors))]),
  ),
  cuts: new Map(),
});

describe("a weight map", () => {
  test("shows every tensor in its place before anything is measured", () => {
    const map = makeWeightMap(plan({}), NOTHING_MEASURED);
    expect(map.cells.map(({ layer, column, shares }) => [layer, column, shares])).toEqual([
      [0, "q", null],
      [1, "q", null],
      [null, "norm", null],
    ]);
    expect([map.measured, map.total, map.headline]).toEqual([0, 3, ""]);
    expect(map.summary).toEqual([
      { model: "a", change: null, cosine: null },
      { model: "b", change: null, cosine: null },
    ]);
  });

  test("fills with the tensors that are measured", () => {
    const facts = table({ delta: { [Q0]: [moved(3), moved(1)] } });
    const map = makeWeightMap(plan({}), facts);
    expect(map.cells.map(({ shares }) => shares)).toEqual([[0.75, 0.25], null, null]);
    expect([map.measured, map.total]).toEqual([1, 3]);
  });

  test("waits for the whole unit where tensors are decided together", () => {
    const together = plan({ parameters: { granularity: "model" } });
    const some = { [Q0]: [moved(3), moved(1)], [Q1]: [moved(0), moved(2)] };
    expect(makeWeightMap(together, table({ delta: some })).measured).toBe(0);
    const all = table({ delta: { ...some, [NORM]: [moved(0), moved(0)] } });
    expect(makeWeightMap(together, all).cells.map(({ shares }) => shares)).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
  });

  test("of a method that needs no facts is complete at once", () => {
    const models = [0.75, 0.25].map((weight, i) => ({ model: "ab"[i]!, parameters: { weight } }));
    const { base: _, ...rest } = { ...plan({}).recipe, method: "linear", models };
    const linear = planMerge({
      method: findMethod("linear"),
      recipe: rest,
      checkpoints: named(),
      shardBytes: 1e9,
      budget: { tileBytes: 1e6, slots: 3 },
    });
    const map = makeWeightMap(linear, NOTHING_MEASURED);
    expect(map.cells[0]).toMatchObject({ shares: [0.75, 0.25], change: null });
    expect([map.measured, map.total]).toEqual([0, 0]);
    expect(map.headline).toBe("The shares are the same everywhere: a 75 % and b 25 %.");
  });

  test("shows mean and spread where shares differ from element to element", () => {
    const each = plan({ parameters: { granularity: "parameter" } });
    // Four elements with shares 1, 1, 0, 0 for a: mean 0.5, standard deviation 0.5.
    const facts = table({
      element_share: {
        [Q0]: [
          [2, 2, 0, 0],
          [2, 2, 0, 0],
        ],
      },
    });
    const [cell] = makeWeightMap(each, facts).cells;
    expect([cell?.shares, cell?.spread]).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
  });

  test("gives a model that lacks a tensor a share of 0 there, at its own place", () => {
    const models = ["b", "a"].map((model) => ({ model, parameters: {} }));
    const partial = plan({ models }, { [Q0]: TENSORS[Q0]!, [NORM]: TENSORS[NORM]! });
    const facts = table({ delta: { [Q1]: [moved(1)] } });
    const cell = makeWeightMap(partial, facts).cells.find(({ tensor }) => tensor === Q1);
    expect(cell?.shares).toEqual([0, 1]);
  });

  test("marks what is copied and what is stated by hand", () => {
    const share = [{ filter: Q0, value: 0.9 }];
    const models = [
      { model: "a", parameters: { share } },
      { model: "b", parameters: {} },
    ];
    const map = makeWeightMap(
      plan({ models, parameters: { exclude: ["norm"] } }),
      NOTHING_MEASURED,
    );
    expect(map.cells.map(({ locked, merged }) => [locked, merged])).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ]);
    expect(map.total).toBe(2);
  });
});

describe("changes", () => {
  // δ·rest, Σ rest², Σ base², Σ δ²
  const agreement = {
    [Q0]: [
      [2, 4, 100, 1],
      [2, 1, 100, 4],
    ],
    [NORM]: [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ],
  } satisfies Record<string, readonly Facts[]>;

  test("are relative to the base, in the cell and over all", () => {
    const map = makeWeightMap(plan({}), table({ agreement }));
    expect(map.cells[0]?.change).toEqual([0.1, 0.2]);
    expect(map.cells[1]?.change).toBeNull();
    expect(map.cells[2]?.change).toEqual([0, 0]);
    expect(map.summary).toEqual([
      { model: "a", change: 0.1, cosine: 1 },
      { model: "b", change: 0.2, cosine: 1 },
    ]);
  });

  test("of a model that is the base have a size and no direction", () => {
    const still: Facts = [0, 4, 100, 0];
    const facts = table({ agreement: { [Q0]: [still, [0, 0, 100, 4]] } });
    expect(makeWeightMap(plan({}), facts).summary).toEqual([
      { model: "a", change: 0, cosine: null },
      { model: "b", change: 0.2, cosine: null },
    ]);
  });

  test("from nothing are not told", () => {
    const facts = table({
      agreement: {
        [Q0]: [
          [1, 1, 0, 1],
          [1, 1, 0, 1],
        ],
      },
    });
    expect(makeWeightMap(plan({}), facts).cells[0]?.change).toBeNull();
  });

  test("too small for sums in float32 are not made up from slerp's own facts", () => {
    const models = [{ model: "a", parameters: {} }];
    const slerp = plan({ method: "slerp", models, parameters: { t: 0.5 } });
    const change = (model: number, product: number) => {
      const gram: readonly Facts[] = [[100, product, model, product]];
      const facts = table({ gram: { [Q0]: gram } });
      return makeWeightMap(slerp, facts).cells[0]?.change;
    };
    expect(change(100, 99.5)).toEqual([0.1]);
    expect(change(100, 99.9999)).toBeNull();
    expect(change(100, 100)).toBeNull();
  });
});

test("no share is ever NaN", () => {
  const models = [1, -1].map((weight, i) => ({ model: "ab"[i]!, parameters: { weight } }));
  const cancelled = planMerge({
    method: findMethod("linear"),
    recipe: { method: "linear", models, parameters: {} },
    checkpoints: named(),
    shardBytes: 1e9,
    budget: { tileBytes: 1e6, slots: 3 },
  });
  expect(makeWeightMap(cancelled, NOTHING_MEASURED).cells.map(({ shares }) => shares)).toEqual([
    null,
    null,
    null,
  ]);
});
