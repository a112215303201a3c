import { expect, test } from "vitest";
import type { Recipe } from "../../../contract/index.ts";
import { resolveSettings } from "../../recipe/resolve.ts";
import { findMethod } from "../../registry.ts";
import { gramOf, gramSums } from "./gram.ts";

const BASE = [0.5, -0.25, 0.125, 1, 0, -0.5];
const MODELS = [
  [0.75, -0.25, 0.25, 1, 0.5, -0.5],
  [0.5, 0.25, 0.25, 1.25, 0.25, -1],
  [0.25, -0.5, 0.125, 0.5, 0, -0.25],
];
const WEIGHTS = {
  nuslerp: [0.6, 0.4],
  multislerp: [0.5, 0.3, 0.9],
} as const satisfies Record<string, readonly number[]>;

type Weighed = keyof typeof WEIGHTS;
const isWeighed = (id: string): id is Weighed => id in WEIGHTS;

const BY_ROW = { nuslerp_flatten: false };
const BY_COLUMN = { nuslerp_flatten: false, nuslerp_row_wise: true };

/** mergekit 0.1.5's answers for a matrix of 2 × 3, computed in float64 and rounded to nine digits. */
test.each<[string, Recipe["parameters"], "base" | "no base", readonly number[]]>([
  [
    "model_stock",
    {},
    "base",
    [0.5, -0.325873267, 0.049126733, 1.075873267, -0.227619801, -0.424126733],
  ],
  [
    "model_stock",
    { filter_wise: true },
    "base",
    [0.5, -0.771517489, -0.396517489, 1.034174629, -0.102523886, -0.465825371],
  ],
  [
    "karcher",
    {},
    "no base",
    [0.532643798, -0.314916222, 0.22622427, 0.974776095, 0.230269533, -0.592206572],
  ],
  [
    "karcher",
    {},
    "base",
    [0.526771096, -0.298761267, 0.199703648, 0.987048764, 0.168558795, -0.570073406],
  ],
  [
    "multislerp",
    {},
    "no base",
    [0.457240854, -0.444124162, 0.197519272, 0.82194629, 0.156273819, -0.458776945],
  ],
  [
    "multislerp",
    {},
    "base",
    [0.404565209, -0.369545352, 0.247050806, 0.540918244, 0.414872875, -0.380454648],
  ],
  [
    "nuslerp",
    {},
    "no base",
    [0.66937737, -0.050500529, 0.257650842, 1.134178526, 0.411726528, -0.722451998],
  ],
  [
    "nuslerp",
    BY_ROW,
    "base",
    [0.693390161, 0.027674083, 0.291113601, 1.121605912, 0.470318085, -0.743211824],
  ],
  [
    "nuslerp",
    BY_COLUMN,
    "base",
    [0.702254249, -0.010447329, 0.282196312, 1.146946313, 0.464410123, -0.760691346],
  ],
])("%s %j, %s, answers as mergekit does", (id, parameters, base, want) => {
  const method = findMethod(id);
  const weights = isWeighed(id) ? WEIGHTS[id] : MODELS.map(() => null);
  const recipe: Recipe = {
    method: id,
    ...(base === "base" ? { base: "base" } : {}),
    models: weights.map((weight, m) => ({
      model: `m${m}`,
      parameters: weight === null ? {} : { weight },
    })),
    parameters,
  };
  const [merged] = method.reference([
    {
      name: "w",
      shape: [2, 3],
      resolved: resolveSettings(method, recipe, "w", { layer: null, layers: 0 }),
      keys: recipe.models.map(({ model }) => model),
      base: base === "base" ? Float64Array.from(BASE) : null,
      models: weights.map((_, m) => Float64Array.from(MODELS[m]!)),
    },
  ]);
  for (const [i, value] of want.entries()) {
    // Nine digits, and mergekit's 1e-8 beside lengths.
    expect(Math.abs(merged![i]! - value) <= 1e-7, `${merged![i]} for ${value}`).toBe(true);
  }
});

test.each([1, 2, 3, 4, 5, 9])("every product of %i vectors is found in the rows", (n) => {
  const shifts = Math.floor(n / 2) + 1;
  const value = (i: number, j: number) => 100 * Math.min(i, j) + Math.max(i, j);
  const at = (k: number) => {
    const m = Math.floor(k / shifts);
    return m < n ? value(m, (m + (k % shifts)) % n) : 0;
  };
  const rows = Array.from({ length: gramSums.rows!(n) }, (_, row) => {
    const k = 4 * row;
    return [at(k), at(k + 1), at(k + 2), at(k + 3)] as const;
  });
  const all = Array.from({ length: n }, (_, i) => i);
  expect(gramOf(rows, n)).toEqual(all.map((i) => all.map((j) => value(i, j))));
});

test("NuSLERP goes straight between opposite numbers, whose products float32 rounds", () => {
  const method = findMethod("nuslerp");
  const models = ["a", "b"].map((model) => ({ model, parameters: { weight: 0.5 } }));
  const recipe: Recipe = { method: "nuslerp", models, parameters: {} };
  const resolved = resolveSettings(method, recipe, "w", { layer: null, layers: 0 });
  for (let i = 1; i <= 1000; i++) {
    const [x, y] = [Math.fround(0.1 * i), -Math.fround(7 / i)] as const;
    const [square, product, other] = [x * x, x * y, y * y].map(Math.fround);
    const facts = [[square!, product!, other!, product!] as const];
    const [decision] = method.decide([
      { name: "w", resolved, keys: ["a", "b"], facts, cuts: [], elementCount: 1, hasBase: false },
    ]);
    expect(decision!.constants).toEqual([0.5, 0.5]);
  }
});
