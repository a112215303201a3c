import { expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { makeModel } from "../testModels.ts";
import { prepareMerge } from "./prepare.ts";

const TOKENS = { model: { vocab: { a: 0, b: 1 } } };
const named = (name: string, tokenizer: unknown = TOKENS): Checkpoint => ({
  ...makeModel(name, { "model.layers.0.mlp.up_proj.weight": ["F32", [4, 4]] }, { layers: 2 }),
  files: new Map([
    ["tokenizer.json", bytesInMemory(new TextEncoder().encode(JSON.stringify(tokenizer)))],
  ]),
});

async function plan(
  text: string,
  models: readonly Checkpoint[] = ["base", "a", "b"].map((name) => named(name)),
) {
  const open = async (model: string) => {
    const found = models.find(({ name }) => name === model);
    if (!found) throw new Error(`no model ${model}`);
    return found;
  };
  return prepareMerge(parseRecipe(text).recipe, { open, shardBytes: 5e9 });
}
const TIES = `merge_method: ties
base_model: base
models:
- {model: a, parameters: {weight: 1, density: 0.5}}
- {model: b, parameters: {weight: 0.5, density: 0.5}}
`;
const notes = async (text: string, models?: readonly Checkpoint[]) =>
  (await plan(text, models)).card.findings.map(
    ({ severity, message }) => `${severity}: ${message}`,
  );

test("mergekit's profile is the default and is stated", async () => {
  const { recipe, global } = await plan(TIES);
  expect([recipe.parameters.profile, global.profile]).toEqual(["mergekit", "mergekit"]);
});

test("where the profiles give other numbers the plan says so in a sentence", async () => {
  const [said, ...more] = (await notes(TIES)).filter((note) => note.includes("Profile"));
  expect(said).toBe(
    'note: Profile mergekit: mergekit weighs the votes that elect a sign, and the paper counts them alike; "profile: paper" gives the other numbers.',
  );
  expect(more).toEqual([]);
  const asked = `${TIES}parameters: {profile: paper}\n`;
  expect((await notes(asked)).join()).toContain('"profile: mergekit" gives the other numbers');
  const alike = TIES.replace("0.5, density", "1, density");
  expect((await notes(alike)).join()).not.toContain("Profile");
});

test("a base that the method does not work from is one more model, as mergekit has it", async () => {
  const text = "merge_method: linear\nbase_model: base\nmodels: [{model: a}]\n";
  expect((await plan(`${text}parameters: {weight: 1}\n`)).keys).toEqual(["a", "base"]);
  const own = text.replace("{model: a}", "{model: a, parameters: {weight: 1}}");
  await expect(plan(own)).rejects.toThrow('The parameter "weight" of "base" is required');
});

test("a model that is listed twice is refused where entries have no weights, else said", async () => {
  const twice = (method: string, base: string, parameters: string) =>
    `merge_method: ${method}\n${base}models: [{model: a}, {model: b}, {model: a}]\nparameters: {${parameters}}\n`;
  await expect(plan(twice("sce", "base_model: base\n", ""))).rejects.toMatchObject({
    code: "bad-recipe",
    message: expect.stringContaining("mergekit refuses"),
  });
  expect((await notes(twice("linear", "", "weight: 1"))).join()).toContain("mergekit refuses");
});

test("a recipe says whose vocabulary the result has, and the plan how the models' differ", async () => {
  for (const source of ["union", "base", "a"]) {
    const { card } = await plan(`${TIES}tokenizer_source: ${source}\n`);
    expect([card.runnable, card.vocabulary]).toEqual([true, null]);
  }
  await expect(plan(`${TIES}tokenizer_source: c\n`)).rejects.toThrow("no model c");
  const other = [named("base"), named("a"), named("b", { model: { vocab: { a: 1, c: 0 } } })];
  const { card } = await plan(`${TIES}tokenizer: {}\n`, other);
  expect(card.runnable).toBe(true);
  expect(card.vocabulary).toMatchObject({ from: "base", aligned: true, tokens: 3 });
  const none = { count: 0, tokens: [] };
  expect(card.vocabulary?.models).toEqual([
    {
      model: "base",
      tokens: 2,
      lacks: { count: 1, tokens: [{ token: "c", id: 2, own: null }] },
      leftOut: none,
      moved: none,
      special: [],
    },
    {
      model: "a",
      tokens: 2,
      lacks: { count: 1, tokens: [{ token: "c", id: 2, own: null }] },
      leftOut: none,
      moved: none,
      special: [],
    },
    {
      model: "b",
      tokens: 2,
      lacks: { count: 1, tokens: [{ token: "b", id: 1, own: null }] },
      leftOut: none,
      moved: {
        count: 2,
        tokens: [
          { token: "a", id: 0, own: 1 },
          { token: "c", id: 2, own: 0 },
        ],
      },
      special: [],
    },
  ]);
  const byId = await plan(TIES, other);
  expect(byId.card.vocabulary).toMatchObject({ from: "base", aligned: false, tokens: 2 });
  expect(byId.card.vocabulary?.models.map(({ model }) => model)).toEqual(["b"]);
  expect((await notes(TIES, other)).join()).toContain("Rows are merged by id");
});

test("the arithmetic of a narrow dtype is said: followed step by step, or computed in float32", async () => {
  const narrow = "dtype: bfloat16\n";
  const { outputs } = await plan(`${TIES}${narrow}`);
  expect(outputs[0]?.resolved.arithmetic).toBe("BF16");
  expect((await notes(`${TIES}${narrow}`)).join()).toContain("rounds every step to bfloat16");
  const paper = await plan(`${TIES}${narrow}parameters: {profile: paper}\n`);
  expect(paper.outputs[0]?.resolved.arithmetic).toBe("F32");
  const mean = `merge_method: karcher\nmodels: [{model: a}, {model: b}]\n`;
  expect((await notes(`${mean}${narrow}`)).join()).toContain('rounds every step of "karcher"');
  expect((await notes(`${mean}dtype: float32\n`)).join()).not.toContain("rounds every step");
});
