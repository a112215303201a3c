import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EngineError, type Environment, type ModelCard } from "../../engine/contract/index.ts";
import { attempt, importFiles, resultName, trySamples } from "./actions.ts";
import { fakeEngine, fakeJob, fakeModel } from "./fakeEngine.ts";
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
