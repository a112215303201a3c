import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  EngineError,
  type Environment,
  type MethodCard,
  type MixturePlan,
  type ModelCard,
  type Recipe,
} from "../../engine/contract/index.ts";
import { attempt, importFiles, mergeModels, resultName, trySamples } from "./actions.ts";
import { fakeEngine, fakeJob, fakeModel } from "./fakeEngine.ts";
import { makeMixture, openRecipe, takeRecipe } from "./recipeFile.ts";
import { createStudio, type Studio } from "./studio.ts";

beforeEach(() => vi.stubGlobal("window", { location: { hash: "" } }));
afterEach(() => vi.unstubAllGlobals());

const GPU: Environment = { gpu: { available: true, name: "x", software: false, budgetBytes: 1 } };
const NONE: Environment = {
  gpu: { available: false, failure: { code: "no-adapter", message: "none", details: {} } },
};
const EMBERS = ["ember-base", "ember-tales", "ember-maths"].map((name, createdAt) =>
  fakeModel(name, { createdAt, origin: "sample" }),
);

function openStudio(models: readonly ModelCard[], environment: Environment = GPU) {
  const { engine, started } = fakeEngine({ listModels: async () => models.toReversed() });
  const studio = createStudio(engine, "");
  studio.environment.setState({ environment });
  return { studio, started };
}

/** Ends the first job as the engine would: by an event. */
async function end(studio: Studio, models: readonly ModelCard[]) {
  await vi.waitFor(() => expect(studio.jobs.find("job 1")).toBeDefined());
  const result = { models: models.map(({ id }) => id), downloads: [], notes: [] };
  studio.jobs.write(fakeJob("job 1", { kind: "samples", state: "done", endedAt: 2, result }));
}

test("the samples are fetched, composed over their base, and merged in one go", async () => {
  const { studio, started } = openStudio(EMBERS);
  const tried = trySamples(studio);
  await end(studio, EMBERS);
  await tried;
  expect(started.map(({ kind }) => kind)).toEqual(["samples", "merge"]);
  const { recipe, job } = studio.recipe.getState();
  expect(recipe.base).toBe("ember-base");
  expect(recipe.models.map(({ model }) => model)).toEqual(["ember-tales", "ember-maths"]);
  expect(job).toBe("job 2");
  expect(window.location.hash).toBe("#/merge");
});

test("without a GPU the samples are composed but no merge is started to fail", async () => {
  const { studio, started } = openStudio(EMBERS, NONE);
  const tried = trySamples(studio);
  await end(studio, EMBERS);
  await tried;
  expect(started.map(({ kind }) => kind)).toEqual(["samples"]);
  expect(studio.recipe.getState().recipe.models).toHaveLength(2);
});

test("an import of models that fit together offers to merge those, and only those", async () => {
  const models = [fakeModel("a"), fakeModel("b"), fakeModel("other", { layers: 3 })];
  const { studio } = openStudio(models);
  const files = [{ path: "a/config.json", file: new File([], "config.json") }];
  const imported = importFiles(studio, files);
  await end(studio, models);
  await imported;
  expect(studio.desk.getState().offered.toSorted()).toEqual(["id-a", "id-b"]);
});

test("a failure becomes a notice with its code; a cancelled wish does not", async () => {
  const { studio } = openStudio([]);
  await attempt(studio, "Export", () =>
    Promise.reject(new EngineError("quota", "The disk is full.")),
  );
  await attempt(studio, "Export", () => Promise.reject(new DOMException("", "AbortError")));
  const { notices } = studio.notices.getState();
  expect(notices.map(({ title, code }) => `${title} ${code}`)).toEqual(["Export quota"]);
});

test("the result is named after what the models share, and never like a model that is there", () => {
  const { studio } = openStudio([]);
  studio.recipe.compose({
    method: "varm",
    base: "ember-base",
    models: [{ model: "ember-tales", parameters: {} }],
    parameters: {},
  });
  expect(resultName(studio)).toBe("ember-varm");
  studio.library.setState({ models: [fakeModel("ember-varm")] });
  expect(resultName(studio)).toBe("ember-varm-2");
  studio.recipe.nameResult("  mine ");
  expect(resultName(studio)).toBe("mine");
});

const method = (id: string, max: number): MethodCard => ({
  id,
  title: id.toUpperCase(),
  summary: "",
  paper: { label: "", url: "" },
  base: "required",
  models: { min: 1, max },
  params: [],
  override: null,
  mergekit: true,
});

test("a method that takes fewer models gives way, and that is said", async () => {
  const { engine } = fakeEngine({
    listModels: async () => EMBERS,
    guessBase: async () => "id-ember-base",
  });
  const studio = createStudio(engine, "");
  studio.environment.setState({ methods: [method("slerp", 1), method("varm", 64)] });
  studio.recipe.compose({ method: "slerp", models: [], parameters: {} });
  await mergeModels(
    studio,
    EMBERS.map(({ id }) => id),
  );
  expect(studio.recipe.getState().recipe).toMatchObject({ method: "varm", base: "ember-base" });
  expect(studio.notices.getState().notices[0]?.message).toBe("SLERP does not take 3 models.");
});

test("a config of mergekit-moe is offered with its plan, and made under the name that is given", async () => {
  const expert = { positivePrompts: ["a"], negativePrompts: [] };
  const plan: MixturePlan = {
    config: {
      base: "ember",
      experts: [{ model: "tales", ...expert }],
      sharedExperts: [],
      gateMode: "hidden",
      expertsPerToken: 1,
      seed: 0,
    },
    architecture: "Mixtral",
    parameters: 1,
    layers: 1,
    writeBytes: 1,
    notes: [],
  };
  const { engine, started } = fakeEngine({ planMixture: async () => plan });
  const studio = createStudio(engine, "");
  await takeRecipe(studio, { path: "moe.yml", file: new File(["experts: []"], "moe.yml") });
  const { offeredMixture } = studio.desk.getState();
  expect(offeredMixture).toEqual({ name: "moe.yml", text: "experts: []", plan });
  expect(studio.recipe.getState().text).toBe("");
  await makeMixture(studio, offeredMixture!, "four");
  const { shardBytes } = studio.recipe.getState();
  expect(started).toEqual([{ kind: "mixture", name: "four", yaml: "experts: []", shardBytes }]);
});

test("a recipe's file is opened, and another recipe is not lost without a question", async () => {
  const recipe: Recipe = { method: "linear", models: [], parameters: {} };
  const { engine } = fakeEngine({ parseRecipe: async () => ({ recipe, findings: [], lines: {} }) });
  const studio = createStudio(engine, "");
  const file = (text: string) => ({ path: "r.yaml", file: new File([text], "r.yaml") });
  await takeRecipe(studio, file("merge_method: linear # mine"));
  expect(studio.recipe.getState()).toMatchObject({ text: "merge_method: linear # mine", recipe });
  await takeRecipe(studio, file("merge_method: ties"));
  expect(studio.recipe.getState().text).toContain("# mine");
  const { offeredRecipe } = studio.desk.getState();
  await openRecipe(studio, offeredRecipe?.text ?? "");
  expect(studio.recipe.getState().text).toBe("merge_method: ties");
});
