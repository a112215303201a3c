import { describe, expect, test } from "vitest";
import type { MethodCard, ParamCard, Recipe, RecipeModel } from "../../engine/contract/index.ts";
import { createRecipeStore, fillRequired, fillStarts, switchMethod } from "./recipeStore.ts";

const LINEAR: MethodCard = {
  id: "linear",
  title: "Linear",
  summary: "Averages.",
  paper: { label: "Paper", url: "https://example.org" },
  base: "none",
  models: { min: 1, max: 64 },
  params: [
    {
      kind: "number",
      name: "weight",
      label: "Weight",
      help: "How much.",
      scope: "model",
      required: true,
      min: 0,
      max: 1,
      step: 0.01,
      default: null,
    },
  ],
  override: "weight",
  mergekit: true,
};
const VARM: MethodCard = { ...LINEAR, id: "varm", base: "required", params: [] };

const two: Recipe = {
  method: "varm",
  base: "pivot",
  models: [
    { model: "a", parameters: {} },
    { model: "b", parameters: {} },
  ],
  parameters: { granularity: "matrix" },
};
const parsed = { recipe: two, findings: [], lines: {} };

describe("form and text", () => {
  test("text that is no recipe leaves the form's recipe as it was", () => {
    const store = createRecipeStore();
    store.edit(two);
    store.type("merge_method: [");
    store.refuse(store.getState().revision, { message: "no", line: 1, column: 15 });
    expect(store.getState().recipe).toBe(two);
    expect(store.getState().problem?.line).toBe(1);
  });

  test("an answer to an earlier edit is dropped", () => {
    const store = createRecipeStore();
    store.type("first");
    const early = store.getState().revision;
    store.type("second");
    store.accept(early, parsed);
    expect(store.getState().recipe.models).toHaveLength(0);
    store.accept(store.getState().revision, parsed);
    expect(store.getState().recipe).toBe(two);
  });

  test("an edit in the form lifts a problem of the text", () => {
    const store = createRecipeStore();
    store.type("?");
    store.refuse(store.getState().revision, { message: "no", line: null, column: null });
    store.edit(two);
    expect(store.getState().problem).toBeNull();
    expect(store.getState().writer).toBe("form");
  });

  test("a new merge forgets the name, the tensor and the job of the last", () => {
    const store = createRecipeStore();
    store.nameResult("mine");
    store.look("t");
    store.follow("job");
    store.compose(two);
    expect(store.getState()).toMatchObject({ name: null, tensor: null, job: null });
  });
});

describe("another method", () => {
  test("drops parameters and a base that it does not know, and fills what it demands", () => {
    const linear = switchMethod(two, LINEAR, "pivot");
    expect(linear.base).toBeUndefined();
    expect(linear.parameters).toEqual({});
    expect(linear.models.map(({ parameters }) => parameters.weight)).toEqual([0.5, 0.5]);
  });

  test("takes the base up again that was set aside", () => {
    expect(switchMethod(switchMethod(two, LINEAR, undefined), VARM, "pivot").base).toBe("pivot");
  });

  test("keeps a value that a person gave", () => {
    const given = {
      ...two,
      models: [{ model: "a", parameters: { weight: 0.9 } }, ...two.models.slice(1)],
    };
    const filled = fillRequired(given, LINEAR);
    expect(filled.models.map(({ parameters }) => parameters.weight)).toEqual([0.9, 0.5]);
  });

  test("asks nothing per model where the recipe states it for all", () => {
    const shared = fillRequired({ ...two, parameters: { weight: 0.3 } }, LINEAR);
    expect(shared.models[0]?.parameters).toEqual({});
  });

  test("starts from a form's own values, unless somebody stated one", () => {
    const density = { ...(LINEAR.params[0] as ParamCard & { kind: "number" }), name: "density" };
    const thinning = { ...density, required: false, default: 1, start: 0.5 };
    const ties: MethodCard = { ...VARM, id: "ties", params: [thinning] };
    const started = fillStarts(two, ties);
    expect(started.models.map(({ parameters }) => parameters.density)).toEqual([0.5, 0.5]);
    const [first] = two.models as [RecipeModel];
    const stated = { ...two, models: [{ ...first, parameters: { density: 0.9 } }, two.models[1]!] };
    expect(fillStarts(stated, ties)).toEqual(stated);
    expect(fillRequired(two, ties)).toEqual(two);
  });
});
