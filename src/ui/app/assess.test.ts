import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type Engine,
  EngineError,
  type MergePlan,
  type Recipe,
  type WeightMap,
} from "../../engine/contract/index.ts";
import { mergeBlocked } from "../stores/commands.ts";
import { fakeEngine, fakeJob } from "../stores/fakeEngine.ts";
import { createStudio } from "../stores/studio.ts";
import { assessRecipe } from "./assess.ts";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", { setTimeout: (work: () => void, ms: number) => setTimeout(work, ms) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const RECIPE: Recipe = {
  method: "varm",
  base: "base",
  models: [{ model: "a", parameters: {} }],
  parameters: {},
};
const PLAN: MergePlan = {
  tensors: [],
  findings: [],
  extras: [],
  vocabulary: null,
  runnable: true,
  readBytes: 1000,
  passes: 1,
  writeBytes: 1000,
  shards: 1,
  peakGpuBytes: 1,
  seconds: null,
};
const MAP: WeightMap = {
  models: ["a"],
  cells: [],
  measured: 0,
  total: 3,
  headline: "",
  summary: [{ model: "a", change: null, cosine: null }],
};

const PARSED = { recipe: { ...RECIPE, method: "linear" }, findings: [], lines: {} };

function open(answers: Partial<Engine> = {}) {
  const { engine, started } = fakeEngine({
    editRecipe: async ({ recipe: { method } }) => `merge_method: ${method}\n`,
    parseRecipe: async () => PARSED,
    planMerge: async () => PLAN,
    weightMap: async () => MAP,
    ...answers,
  });
  const studio = createStudio(engine, "");
  const gpu = { available: true, name: "x", software: false, budgetBytes: 1 } as const;
  studio.environment.setState({ environment: { gpu } });
  assessRecipe(studio);
  return { studio, started };
}
const settle = () => vi.advanceTimersByTimeAsync(2000);

test("an edit in the form writes the text, plans, and measures once", async () => {
  const { studio, started } = open();
  studio.recipe.edit(RECIPE);
  await settle();
  expect(studio.recipe.getState().text).toBe("merge_method: varm\n");
  expect(studio.forecast.getState()).toMatchObject({ plan: PLAN, map: MAP });
  expect(started.map(({ kind }) => kind)).toEqual(["measure"]);
  studio.jobs.write(fakeJob("job 1", { kind: "measure", state: "failed", endedAt: 2 }));
  await settle();
  expect(started).toHaveLength(1);
});

test("text changes the form; text that is no recipe says where and leaves the form", async () => {
  const parseRecipe = vi
    .fn<Engine["parseRecipe"]>()
    .mockResolvedValueOnce(PARSED)
    .mockRejectedValueOnce(new EngineError("bad-recipe", "No.", { line: 2, column: 5 }));
  const { studio } = open({ parseRecipe });
  studio.recipe.type("merge_method: linear");
  await settle();
  expect(studio.recipe.getState().recipe.method).toBe("linear");
  studio.recipe.type("merge_method: [");
  await settle();
  const { recipe, problem, text } = studio.recipe.getState();
  expect(recipe.method).toBe("linear");
  expect(problem).toEqual({ message: "No.", line: 2, column: 5 });
  expect(text).toBe("merge_method: [");
});

test("text that is typed while a job ends and the library changes is not lost", async () => {
  const { studio } = open();
  studio.recipe.edit(RECIPE);
  await settle();
  studio.recipe.type("merge_method: linear");
  studio.library.setState({ models: [] });
  await settle();
  expect(studio.recipe.getState().recipe.method).toBe("linear");

  const planMerge = vi.spyOn(studio.engine, "planMerge");
  studio.recipe.type("merge_method: linear # again");
  studio.jobs.write(fakeJob("job 1", { kind: "measure", state: "done", endedAt: 2 }));
  await settle();
  expect(planMerge.mock.calls.map(([{ recipe }]) => recipe.method)).not.toContain("varm");
  expect(studio.forecast.getState().pending).toBe(false);
});

test.each<readonly [string, Partial<Engine>]>([
  ["more than 1 GiB to read", { planMerge: async () => ({ ...PLAN, readBytes: 2 ** 30 + 1 }) }],
  ["a plan that cannot run", { planMerge: async () => ({ ...PLAN, runnable: false }) }],
  [
    "a map that is whole",
    {
      weightMap: async () => ({
        ...MAP,
        measured: 3,
        summary: [{ ...MAP.summary[0]!, change: 1 }],
      }),
    },
  ],
])("%s is not measured unasked", async (_, answers) => {
  const { studio, started } = open(answers);
  studio.recipe.edit(RECIPE);
  await settle();
  expect(started).toEqual([]);
});

test("while a merge runs nothing is measured: the merge fills the map in", async () => {
  const { studio, started } = open();
  studio.jobs.write(fakeJob("m"));
  studio.recipe.edit(RECIPE);
  await settle();
  expect(started).toEqual([]);
  studio.jobs.write(fakeJob("m", { state: "cancelled", endedAt: 2 }));
  await settle();
  expect(started.map(({ kind }) => kind)).toEqual(["measure"]);
});

test("a plan that fails is said, and an old answer does not overwrite a newer one", async () => {
  const slow = new Promise<MergePlan>((resolve) => setTimeout(() => resolve(PLAN), 1500));
  const planMerge = vi
    .fn<Engine["planMerge"]>()
    .mockReturnValueOnce(slow)
    .mockRejectedValueOnce(new EngineError("missing-file", "Gone."));
  const { studio } = open({ planMerge });
  studio.recipe.edit(RECIPE);
  await vi.advanceTimersByTimeAsync(300);
  studio.recipe.edit({ ...RECIPE, parameters: { granularity: "layer" } });
  await settle();
  const { plan, planFailure } = studio.forecast.getState();
  expect(plan).toBeNull();
  expect(planFailure?.code).toBe("missing-file");
});

test("a plan is out of date from the edit until the new one is there", async () => {
  const { studio } = open();
  studio.recipe.edit(RECIPE);
  await settle();
  expect([studio.forecast.getState().pending, mergeBlocked(studio)]).toEqual([false, null]);
  studio.recipe.edit({ ...RECIPE, parameters: { granularity: "layer" } });
  expect(studio.forecast.getState()).toMatchObject({ pending: true, plan: PLAN });
  expect(mergeBlocked(studio)).toContain("being made");
  await settle();
  expect(studio.forecast.getState().pending).toBe(false);
});
