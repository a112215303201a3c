import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { DatasetCard, LanguageCard } from "../../engine/contract/index.ts";
import { importFiles } from "./actions.ts";
import {
  addSampleTexts,
  evaluateBlocked,
  evaluationParts,
  shownEvaluation,
  startEvaluation,
} from "./datasets.ts";
import { fakeEngine, fakeJob, fakeModel } from "./fakeEngine.ts";
import { createStudio } from "./studio.ts";

beforeEach(() => vi.stubGlobal("document", { baseURI: "https://here.test/sub/" }));
afterEach(() => vi.unstubAllGlobals());

const MODELS = ["newest", "middle", "oldest"].map((name, at) =>
  fakeModel(name, { createdAt: 3 - at }),
);
const runs = (model: string): LanguageCard => ({
  model,
  failure: null,
  reads: true,
  chats: false,
  contextLength: 256,
  weightBytes: 1,
  streamed: false,
});
const dataset = (id: string): DatasetCard => ({
  id,
  name: id,
  kind: "text",
  rows: 3,
  byteLength: 9,
  createdAt: 0,
  problems: [],
  problemCount: 0,
});
const DATASETS = ["tales", "maths"].map(dataset);

function open() {
  const { engine, started } = fakeEngine({});
  const studio = createStudio(engine, "");
  studio.library.setState({ models: MODELS, datasets: DATASETS });
  const cards = Object.fromEntries(MODELS.map(({ id }) => [id, runs(id)]));
  studio.playground.setState({ cards });
  return { studio, started };
}

test("all models on all datasets where nobody chose, compared with the oldest", async () => {
  const { studio, started } = open();
  await startEvaluation(studio);
  expect(started).toEqual([
    {
      kind: "evaluate",
      models: ["id-oldest", "id-middle", "id-newest"],
      datasets: ["tales", "maths"],
      rows: 100,
      systemIntoUser: false,
    },
  ]);
  expect(studio.playground.getState().draft.shown).toBe("job 1");
});

test("the reference comes first, and what is gone or cannot run is left out", () => {
  const { studio } = open();
  studio.playground.draft({
    models: ["id-newest", "id-oldest", "id-deleted"],
    datasets: ["maths", "deleted"],
    reference: "id-newest",
  });
  const state = studio.playground.getState();
  expect(evaluationParts(state, MODELS, DATASETS)).toEqual({
    models: ["id-newest", "id-oldest"],
    datasets: ["maths"],
  });
  expect(evaluationParts({ ...state, cards: {} }, MODELS, DATASETS).models).toEqual([]);
});

test("no second evaluation beside one that runs", () => {
  const { studio } = open();
  expect(evaluateBlocked(studio)).toBeNull();
  studio.jobs.write(fakeJob("e", { kind: "evaluate" }));
  expect(evaluateBlocked(studio)).toContain("running");
});

test("the newest evaluation with a table is shown, or the one that was asked for", () => {
  const result = { models: [], downloads: [], notes: [], evaluation: [] };
  const jobs = [
    fakeJob("failed", { kind: "evaluate", state: "failed" }),
    fakeJob("new", { kind: "evaluate", state: "done", result }),
    fakeJob("old", { kind: "evaluate", state: "done", result }),
  ];
  expect(shownEvaluation(jobs, null)?.id).toBe("new");
  expect(shownEvaluation(jobs, "old")?.id).toBe("old");
  expect(shownEvaluation(jobs, "deleted")?.id).toBe("new");
});

test("the sample texts come from beside the page, and one that is missing is named", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: URL) => {
    asked.push(url.href);
    return new Response("{}", { status: url.href.endsWith("maths.jsonl") ? 404 : 200 });
  });
  const { studio, started } = open();
  await addSampleTexts(studio);
  expect(asked[0]).toBe("https://here.test/sub/samples/texts/tales.jsonl");
  expect(started).toEqual([]);
  expect(studio.notices.getState().notices[0]?.message).toContain("maths.jsonl");
});

test("dropped texts become datasets, what lies beside them an import", async () => {
  const sorted = { checkpoints: ["m/model.safetensors", "m/config.json"], data: ["tales.jsonl"] };
  const { engine, started } = fakeEngine({ sortDropped: async () => sorted });
  const studio = createStudio(engine, "");
  const files = ["m/model.safetensors", "m/config.json", "tales.jsonl"].map((path) => ({
    path,
    file: new File(["x"], path),
  }));
  void importFiles(studio, files);
  await vi.waitFor(() => expect(started).toHaveLength(2));
  const asked = started.map((request) =>
    "files" in request ? [request.kind, request.files.map(({ path }) => path)] : [],
  );
  expect(asked).toEqual([
    ["dataset", sorted.data],
    ["import", sorted.checkpoints],
  ]);
});
