import { expect, test } from "vitest";
import { resolveSettings } from "../../recipe/resolve.ts";
import { findMethod } from "../../registry.ts";

/** The method's own reference over one tensor; numbers worked out by hand and by the references. */
function merge(
  id: string,
  base: readonly number[],
  deltas: readonly (readonly number[])[],
  parameters: Record<string, number | boolean | string>,
  perModel: readonly Record<string, number>[] = [],
): readonly number[] {
  const method = findMethod(id);
  const models = deltas.map((_, m) => ({ model: `m${m}`, parameters: perModel[m] ?? {} }));
  const recipe = { method: id, base: "base", models, parameters };
  const resolved = resolveSettings(method, recipe, "weight", { layer: null, layers: 0 });
  const [merged] = method.reference([
    {
      name: "weight",
      shape: [base.length],
      resolved,
      keys: models.map(({ model }) => model),
      base: Float64Array.from(base),
      models: deltas.map((delta) => Float64Array.from(delta, (d, i) => base[i]! + d)),
    },
  ]);
  return [...merged!];
}

function close(got: readonly number[], want: readonly number[], bound = 1e-6): void {
  expect(got).toHaveLength(want.length);
  for (const [i, value] of want.entries()) expect(Math.abs(got[i]! - value) <= bound).toBe(true);
}

const ONES = [1, 1, 1, 1];
const A = [0.4, -0.1, 0.2, 0];
const B = [-0.2, -0.3, 0.1, 0.4];
const weighed = (density: number) => [
  { weight: 0.25, density },
  { weight: 0.5, density },
];

test.each([{}, { profile: "mergekit" }])("TIES trims, elects and averages (%j)", (profile) => {
  close(merge("ties", ONES, [A, B], { ...profile }, weighed(0.5)), [1.4, 0.7, 1.2, 1.4]);
});

test.each([
  [0.5, 0.25, "mergekit", [1, 0.9, 1.2, 1]],
  // mergekit keeps outliers where the density asks for all that there is.
  [0.75, 0.5, "mergekit", [1, 0.9, 1.2, 1]],
  [0.75, 0.5, "paper", [1, 0.9, 1, 1]],
  [1, 0.25, "mergekit", [1.4, 0.9, 1.2, 1]],
  [1, 0.25, "paper", [1, 0.9, 1.2, 1]],
  // A gamma that rounds down to no element drops none, since mergekit 0.1.5.
  [0.5, 0.01, "mergekit", [1.4, 1, 1.2, 1]],
] as const)("Breadcrumbs with density %d and gamma %d (%s)", (density, gamma, profile, want) => {
  for (const id of ["breadcrumbs", "breadcrumbs_ties"]) {
    close(merge(id, ONES, [A], { profile }, [{ weight: 1, density, gamma }]), want);
  }
});

test.each([
  ["paper", [1.266667, 0.6, 1.266667, 1]],
  ["mergekit", [1.155556, 0.5, 1.244444, 1]],
] as const)("DARE rescales by 1 / density, mergekit by sizes (%s)", (profile, want) => {
  const drawn = (mask: readonly number[]) => mask.map((keep) => (keep ? 0 : 1) - 1);
  const draws = [drawn([1, 0, 1, 0]), drawn([0, 1, 1, 0])];
  const parameters = { normalize: true, draws: "recorded", profile };
  const models = [...weighed(0.5), { weight: 0 }, { weight: 0 }];
  close(merge("dare_linear", ONES, [A, B, ...draws], parameters, models), want);
});

const ZEROS = [0, 0, 0, 0, 0, 0];
const SCE = [
  [0.4, -0.2, 0.1, 0, 0.3, -0.1],
  [0.2, 0.2, -0.1, 0, 0.1, -0.3],
  [-0.1, 0.2, 0.1, 0, -0.1, -0.2],
];

test.each(["paper", "studio", "fusechat-v2", "mergekit"])(
  "SCE weighs by mean squares (%s)",
  (profile) => {
    close(merge("sce", ZEROS, SCE, { profile }), [0.324, 0.2, 0.1, 0, 0.224, -0.180328]);
  },
);

test.each([
  ["paper", [0.352632, 0.2, 0, 0, 0.252632, 0]],
  ["mergekit", [0.352632, 0.2, 0, 0, 0.252632, 0]],
  ["fusechat-v2", [0.352632, 0.2, 0.1, 0, 0.252632, -0.154545]],
] as const)("SCE keeps the largest variances (%s)", (profile, want) => {
  close(merge("sce", ZEROS, SCE, { select_topk: 0.6, profile }), want);
});

test("mergekit's SCE takes small changes alike; the paper's does not", () => {
  const small = SCE.map((delta) => delta.map((d) => d * 1e-3));
  const alike = [0.3e-3, 0.2e-3, 0.1e-3, 0, 0.2e-3, -0.2e-3];
  close(merge("sce", ZEROS, small, { profile: "mergekit" }), alike, 1e-9);
  const scaled = [0.324, 0.2, 0.1, 0, 0.224, -0.180328].map((value) => value * 1e-3);
  close(merge("sce", ZEROS, small, { profile: "paper" }), scaled, 1e-9);
});

test("a model that is not added has no voice either", () => {
  const models = [
    { weight: 1, density: 1 },
    { weight: 0, density: 1 },
  ];
  const alone = ONES.map((one, i) => one + A[i]!);
  close(merge("ties", ONES, [A, B], {}, models), alone);
  close(merge("dare_ties", ONES, [A, B], {}, models), alone);
});

test("weights that cancel divide by nothing, but in mergekit's profile", () => {
  const cancelling = [0.3, -0.5, 0.2].map((weight) => ({ weight, density: 1 }));
  const same = [A, A, A];
  close(merge("ties", ONES, same, { profile: "paper" }, cancelling), ONES);
  // There a negative weight votes against the others, and is left out.
  close(
    merge("ties", ONES, same, { profile: "mergekit" }, cancelling),
    ONES.map((one, i) => one + A[i]!),
  );
});

test("DARE draws alike wherever the folders lie, and otherwise for each model", () => {
  const method = findMethod("dare_linear");
  const decide = (keys: readonly string[]) => {
    const models = keys.map((model) => ({ model, parameters: { weight: 1, density: 0.5 } }));
    const recipe = { method: method.id, base: "base", models, parameters: {} };
    const resolved = resolveSettings(method, recipe, "w", { layer: null, layers: 0 });
    const [tensor] = method.decide([
      { name: "w", elementCount: 4, resolved, keys, hasBase: true, cuts: [], facts: [] },
    ]);
    return tensor!.constants;
  };
  expect(decide(["./tiny/a", "/data/tiny/b/"])).toEqual(decide(["a", "b"]));
  expect(decide(["x/a", "y/a"])).not.toEqual(decide(["a", "b"]));
  const [first, second] = [decide(["x/a", "y/a"]).slice(5, 17), decide(["x/a", "y/a"]).slice(17)];
  expect(first).not.toEqual(second);
});

test("mergekit keeps one element where the density rounds down to none, and none at 0", () => {
  const parameters = (density: number) => [{ weight: 1, density }];
  close(merge("ties", ONES, [A], {}, parameters(0.1)), [1.4, 1, 1, 1]);
  close(merge("ties", ONES, [A], { profile: "paper" }, parameters(0.1)), ONES);
  close(merge("ties", ONES, [A], {}, parameters(0)), ONES);
});

test.each([
  ["ties", [1, 1], null],
  ["ties", [1, 0.5], "weighs the votes"],
  ["ties", [-1, -1], "weighs the votes"],
  ["dare_linear", [1, 0.5], "1 / density"],
  ["dare_ties", [1, 0.5], "weighs the votes"],
  ["sce", [1, 1], "1e-6"],
])("%s with weights %j: where the profiles differ is said", (id, weights, words) => {
  const method = findMethod(id);
  const models = weights.map((weight, m) => ({
    model: `m${m}`,
    parameters: id === "sce" ? {} : { weight, density: 0.5 },
  }));
  const recipe = { method: id, base: "base", models, parameters: {} };
  const resolved = resolveSettings(method, recipe, "w", { layer: null, layers: 0 });
  const said = method.profilesDiffer?.(resolved) ?? null;
  if (words === null) expect(said).toBeNull();
  else expect(said).toContain(words);
});
