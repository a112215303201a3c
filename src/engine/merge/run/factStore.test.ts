import { expect, test } from "vitest";
import type { Plan } from "../plan/outputTensor.ts";
import { planMerge } from "../plan/plan.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { findMethod } from "../registry.ts";
import { makeModel } from "../testModels.ts";
import { type FactRow, factsInMemory } from "./factStore.ts";
import type { Measured } from "./measured.ts";

const Q = "model.layers.0.self_attn.q_proj.weight";
const FACTS = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
] as const;
const IDS = ["base id", "a id", "b id"];

/** A plan of two models over a base; `names` are what the recipe calls them. */
function planOf(method: string, parameters: string, names: readonly [string, string] = ["a", "b"]) {
  const models = names.map((name) => `{model: ${name}, parameters: {weight: 1, density: 0.3}}`);
  const shared = method === "varm" ? names.map((name) => `{model: ${name}}`) : models;
  const recipe = parseRecipe(
    `merge_method: ${method}\nbase_model: base\nmodels: [${shared.join(", ")}]\nparameters: ${parameters}`,
  ).recipe;
  return planMerge({
    method: findMethod(recipe.method),
    recipe,
    shardBytes: 5e9,
    checkpoints: new Map(
      ["base", ...names].map((name) => [name, makeModel(name, { [Q]: ["BF16", [4, 4]] })]),
    ),
    budget: { tileBytes: 2 ** 20, slots: 3 },
  });
}

const sums = (rule: string): Measured => ({
  facts: new Map([[rule, new Map([[Q, FACTS]])]]),
  cuts: new Map(),
});

/** Facts as `plan` stored them, as another plan finds them. */
async function handOver(rule: string, from: Plan, to: Plan): Promise<unknown> {
  const store = factsInMemory();
  await store.save(from, IDS, sums(rule));
  return (await store.load(to, IDS)).facts.get(rule)?.get(Q);
}

const RESCALED = "{rescale: true, profile: mergekit}";

test("a method finds what was measured for it", async () => {
  const ties = planOf("ties", RESCALED);
  expect(await handOver("task_vector_sums", ties, ties)).toEqual(FACTS);
});

test.each(["task_vector_sums", "task_vector_shares"])(
  "%s of one method is not taken for another's, though both have the same parameters",
  async (rule) => {
    const [ties, dare] = [planOf("ties", RESCALED), planOf("dare_ties", RESCALED)];
    expect(await handOver(rule, ties, dare)).toBeUndefined();
    expect(await handOver(rule, dare, ties)).toBeUndefined();
  },
);

test("what a model is called decides DARE's draws, and so what was measured of them", async () => {
  const [one, other] = [planOf("dare_ties", RESCALED), planOf("dare_ties", RESCALED, ["a", "c"])];
  expect(await handOver("task_vector_sums", one, other)).toBeUndefined();
});

test("what depends on the models alone serves every granularity", async () => {
  const [layer, matrix] = [
    planOf("varm", "{granularity: layer}"),
    planOf("varm", "{granularity: matrix}"),
  ];
  expect(await handOver("delta", layer, matrix)).toEqual(FACTS);
});

test("a model that is gone takes its facts along", async () => {
  const store = factsInMemory();
  const plan = planOf("ties", RESCALED);
  await store.save(plan, IDS, sums("task_vector_sums"));
  await store.forget("another id");
  expect((await store.load(plan, IDS)).facts.get("task_vector_sums")?.get(Q)).toEqual(FACTS);
  await store.forget("a id");
  expect((await store.load(plan, IDS)).facts.get("task_vector_sums")?.get(Q)).toBeUndefined();
});

test("cuts are found again, also as they were stored when each was a row of facts", async () => {
  const plan = planOf("ties", RESCALED);
  const rows = new Map<string, FactRow>();
  const store = factsInMemory(rows);
  const cuts = [[{ bits: 7, before: 3, kept: 2 }], [{ bits: 9, before: 1, kept: 1 }]];
  const own = (measured: Measured) => measured.cuts.get("magnitude")?.get(Q);
  await store.save(plan, IDS, {
    facts: new Map(),
    cuts: new Map([["magnitude", new Map([[Q, cuts]])]]),
  });
  expect(own(await store.load(plan, IDS))).toEqual(cuts);
  const [key = ""] = [...rows.keys()];
  const facts = cuts.map(([cut]) => [cut!.bits, cut!.before, cut!.kept, 0] as const);
  rows.set(key, { [Q]: { elementCount: 16, facts } });
  expect(own(await store.load(plan, IDS))).toEqual(cuts);
});
