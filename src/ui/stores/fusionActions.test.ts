import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type DatasetCard,
  FUSION_DEFAULTS,
  type LanguageCard,
} from "../../engine/contract/index.ts";
import { fakeEngine, fakeJob, fakeModel } from "./fakeEngine.ts";
import { fakeFusion } from "./fakeFusion.ts";
import {
  changeSetting,
  followedFusion,
  fuseBlocked,
  fusionChecks,
  fusionName,
  fusionParts,
  fusionSettings,
  resumeFusion,
  shownFusion,
  startFusion,
} from "./fusionActions.ts";
import { createStudio } from "./studio.ts";

beforeEach(() => vi.stubGlobal("window", { location: { hash: "" } }));
afterEach(() => vi.unstubAllGlobals());

const EMBER = fakeModel("ember", { createdAt: 1 });
const TALES = fakeModel("ember-tales", { createdAt: 2 });
const FLINT = fakeModel("flint", { createdAt: 3, architecture: "Qwen2ForCausalLM", layers: 4 });
const dataset = (name: string, rows = 3): DatasetCard => ({
  id: name,
  name,
  kind: "text",
  rows,
  byteLength: 9,
  createdAt: 0,
  problems: [],
  problemCount: 0,
});
const TEXTS = [dataset("tales"), dataset("maths")];

function open(answers: Parameters<typeof fakeEngine>[0] = {}) {
  const models = [FLINT, TALES, EMBER];
  const { engine, started } = fakeEngine({
    listModels: async () => models,
    listDatasets: async () => TEXTS,
    ...answers,
  });
  const studio = createStudio(engine, "");
  studio.library.setState({ models, datasets: TEXTS, fusions: [] });
  const cards = models.map(({ id }): [string, LanguageCard] => {
    const words = { failure: null, reads: true, chats: false, contextLength: 256 };
    return [id, { model: id, ...words, weightBytes: 1, streamed: false } as LanguageCard];
  });
  studio.playground.setState({ cards: Object.fromEntries(cards) });
  return { studio, started };
}

test("where nobody chose, models of another shape teach the oldest, on every dataset", () => {
  const { studio } = open();
  const { pivot, sources, datasets } = fusionParts(studio);
  expect([pivot?.name, sources.map(({ name }) => name), datasets.length]).toEqual([
    "ember",
    ["flint"],
    2,
  ]);
  studio.fusion.draft({ sources: ["id-ember-tales", "id-deleted"], datasets: ["maths"] });
  expect(fusionParts(studio).sources).toEqual([TALES]);
  expect(fusionParts(studio).datasets).toEqual([TEXTS[1]]);
});

test("what stands in the way is said before the start", () => {
  const parts = { pivot: EMBER, sources: [FLINT], datasets: TEXTS };
  const checks = (changes: Partial<typeof parts>, mute = (_: string): string | null => null) =>
    fusionChecks({ ...parts, ...changes }, mute);
  expect(checks({})).toEqual([]);
  expect(checks({ sources: [] })[0]).toContain("Choose a source");
  expect(checks({ sources: [FLINT, EMBER] })[0]).toBe(
    "ember is the pivot and a source too: it cannot learn from itself.",
  );
  expect(checks({ sources: [FLINT, FLINT] })[0]).toBe("flint is among the sources twice.");
  expect(checks({ datasets: [] })[0]).toContain("Choose a dataset");
  expect(checks({ datasets: [dataset("void", 0)] })[0]).toContain("void is empty");
  const mute = (id: string) => (id === FLINT.id ? "It has no tokenizer." : null);
  expect(checks({}, mute)).toEqual(["flint cannot take part. It has no tokenizer."]);
  expect(fusionChecks({ ...parts, pivot: null }, () => null)).toHaveLength(1);
});

test("a setting that is what the profile sets is no change, and changes outlive a profile", () => {
  const { studio } = open();
  changeSetting(studio, "topK", 20);
  changeSetting(studio, "metric", "token");
  expect(fusionSettings(studio)).toEqual({ ...FUSION_DEFAULTS.studio, topK: 20, metric: "token" });
  changeSetting(studio, "topK", 10);
  expect(studio.fusion.getState().draft.changes).toEqual({ metric: "token" });
  studio.fusion.draft({ profile: "fusellm" });
  expect(fusionSettings(studio)).toMatchObject({ profile: "fusellm", vocabulary: "mined" });
});

test("a fusion is started as it is put together, and its result is shown", async () => {
  const { studio, started } = open({ listFusions: async () => [fakeFusion("new")] });
  changeSetting(studio, "rows", 5);
  const running = startFusion(studio);
  await vi.waitFor(() => expect(studio.jobs.find("job 1")).toBeDefined());
  expect(started).toEqual([
    {
      kind: "fuse",
      pivot: "id-ember",
      sources: ["id-flint"],
      datasets: ["tales", "maths"],
      settings: { ...FUSION_DEFAULTS.studio, rows: 5 },
      name: "ember from flint",
    },
  ]);
  expect(fuseBlocked(studio)).toContain("running");
  const result = { models: [], downloads: [], notes: [], fusion: "new" };
  studio.jobs.write(fakeJob("job 1", { kind: "fuse", state: "done", result }));
  await running;
  expect(studio.fusion.getState().shown).toBe("new");
  expect(fuseBlocked(studio)).toBeNull();
});

test("a fusion that fails leaves the page as it was", async () => {
  const { studio } = open();
  const running = startFusion(studio);
  await vi.waitFor(() => expect(studio.jobs.find("job 1")).toBeDefined());
  const failure = { code: "quota", message: "full", details: {} } as const;
  studio.jobs.write(fakeJob("job 1", { kind: "fuse", state: "failed", failure }));
  await running;
  expect(studio.fusion.getState().shown).toBeNull();
  expect(studio.notices.getState().notices).toEqual([]);
  expect(followedFusion(studio)?.state).toBe("failed");
});

test("a reloaded page follows the fusion that can be resumed", () => {
  const { studio } = open();
  studio.jobs.fill([
    fakeJob("old", { kind: "fuse", state: "done", createdAt: 3 }),
    fakeJob("half", { kind: "fuse", state: "interrupted", resumable: true, createdAt: 2 }),
    fakeJob("merge", { kind: "merge", createdAt: 4 }),
  ]);
  expect(followedFusion(studio)?.id).toBe("half");
});

test("a fusion that goes on is followed to its end", async () => {
  const orders: unknown[] = [];
  const { studio } = open({
    listFusions: async () => [fakeFusion("new")],
    controlJob: async (order) => {
      orders.push(order);
      studio.jobs.write(fakeJob("half", { kind: "fuse" }));
    },
  });
  studio.jobs.fill([fakeJob("half", { kind: "fuse", state: "interrupted", resumable: true })]);
  const resumed = resumeFusion(studio, "half");
  await vi.waitFor(() => expect(studio.jobs.find("half")?.state).toBe("running"));
  const result = { models: [], downloads: [], notes: [], fusion: "new" };
  studio.jobs.write(fakeJob("half", { kind: "fuse", state: "done", result }));
  await resumed;
  expect(orders).toEqual([{ job: "half", do: "resume" }]);
  expect(followedFusion(studio)?.state).toBe("done");
  expect(studio.fusion.getState().shown).toBe("new");
});

test("the newest complete fused dataset is shown, or the one asked for", () => {
  const fusions = [
    fakeFusion("old", { createdAt: 1 }),
    fakeFusion("half", { createdAt: 9, state: "partial" }),
    fakeFusion("new", { createdAt: 5 }),
  ];
  expect(shownFusion(fusions, null)?.id).toBe("new");
  expect(shownFusion(fusions, "half")?.id).toBe("half");
  expect(shownFusion(fusions, "deleted")?.id).toBe("new");
  expect(shownFusion([], null)).toBeUndefined();
});

test("the result is named after who learns from whom, and never like one that is there", () => {
  const { studio } = open();
  studio.library.setState({ fusions: [fakeFusion("x", { name: "ember from flint" })] });
  expect(fusionName(studio)).toBe("ember from flint-2");
  studio.fusion.draft({ sources: ["id-flint", "id-ember-tales"] });
  expect(fusionName(studio)).toBe("ember from 2 sources");
  studio.fusion.draft({ sources: [] });
  expect(fusionName(studio)).toBe("ember fused");
  studio.fusion.draft({ name: " mine " });
  expect(fusionName(studio)).toBe("mine");
});
