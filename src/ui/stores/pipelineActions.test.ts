import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type DatasetCard,
  FUSION_DEFAULTS,
  type LanguageCard,
  type PipelineMerge,
  type PipelineRun,
  TRAINING_DEFAULTS,
  type TrainingPlan,
  type TrainingPoint,
  type TrainingRun,
} from "../../engine/contract/index.ts";
import { fakeEngine, fakeJob, fakeModel } from "./fakeEngine.ts";
import { fakeFusion } from "./fakeFusion.ts";
import {
  changeTraining,
  followedPipeline,
  pipelineBlocked,
  pipelineName,
  preparePipeline,
  refreshPipeline,
  refusal,
  resumePipeline,
  startPipeline,
  takePoint,
  trainingSettings,
  waitsForTurn,
  wantedMerges,
} from "./pipelineActions.ts";
import { planTraining, trainingToPlan } from "./pipelinePlan.ts";
import { compareModels, evaluateModels, openDocuments, openPipeline } from "./pipelineResults.ts";
import { createStudio } from "./studio.ts";

beforeEach(() => vi.stubGlobal("window", { location: { hash: "" } }));
afterEach(() => vi.unstubAllGlobals());

const merge = (name: string): PipelineMerge => ({
  name,
  method: name,
  parameters: {},
  perModel: {},
});
const EMBER = fakeModel("ember", { createdAt: 1 });
const FLINT = fakeModel("flint", { createdAt: 2, architecture: "Qwen2ForCausalLM", layers: 4 });
const TALES: DatasetCard = {
  id: "tales",
  name: "tales",
  kind: "text",
  rows: 2000,
  byteLength: 9,
  createdAt: 0,
  problems: [],
  problemCount: 0,
};

function open(answers: Parameters<typeof fakeEngine>[0] = {}) {
  const models = [EMBER, FLINT];
  const asked: number[] = [];
  const { engine, started } = fakeEngine({
    listModels: async () => models,
    listDatasets: async () => [TALES],
    pipelineMerges: async (targets) => {
      asked.push(targets);
      return [merge("linear"), ...(targets === 2 ? [merge("slerp")] : []), merge("varm-matrix")];
    },
    ...answers,
  });
  const studio = createStudio(engine, "");
  studio.library.setState({ models, datasets: [TALES], fusions: [] });
  const cards = models.map(({ id }): [string, LanguageCard] => {
    const words = { failure: null, reads: true, chats: false, contextLength: 256 };
    return [id, { model: id, ...words, weightBytes: 1, streamed: false }];
  });
  studio.playground.setState({ cards: Object.fromEntries(cards) });
  return { studio, started, asked };
}

async function prepared(answers: Parameters<typeof fakeEngine>[0] = {}) {
  const opened = open(answers);
  await preparePipeline(opened.studio);
  return opened;
}

const point = (step: number, loss = 3): TrainingPoint => ({
  step,
  loss,
  clm: loss,
  fusion: null,
  lambda: 1,
  learningRate: 1e-3,
  gradientNorm: 1,
  tokens: 100,
  heldOut: null,
});
const curve = (steps: number, ...points: readonly TrainingPoint[]): TrainingRun => ({
  steps,
  heldOutBefore: 2.8,
  points,
  tokensPerSecond: 40,
});

test("a setting that is what the profile sets is no change, and changes outlive a profile", async () => {
  const { studio } = await prepared();
  changeTraining(studio, "steps", 24);
  changeTraining(studio, "rank", 8);
  expect(studio.pipeline.getState().draft.changes).toEqual({ steps: 24 });
  studio.fusion.draft({ profile: "fusechat-v1" });
  expect(trainingSettings(studio)).toMatchObject({ mode: "full", learningRate: 5e-6, steps: 24 });
  changeTraining(studio, "steps", null);
  expect(studio.pipeline.getState().draft.changes).toEqual({});
});

test("merges are asked for once, and anew for another number of targets", async () => {
  const { studio, asked } = await prepared();
  await preparePipeline(studio);
  expect(asked).toEqual([1]);
  expect(wantedMerges(studio).map(({ name }) => name)).toEqual(["linear", "varm-matrix"]);
  studio.fusion.draft({ sources: [FLINT.id, EMBER.id] });
  await preparePipeline(studio);
  expect(asked).toEqual([1, 2]);
  expect(wantedMerges(studio)).toHaveLength(3);
});

test("only those merges are wanted that were chosen and that there are", async () => {
  const { studio } = await prepared();
  studio.pipeline.draft({ merges: ["varm-matrix", "slerp"] });
  expect(wantedMerges(studio).map(({ name }) => name)).toEqual(["varm-matrix"]);
  studio.pipeline.draft({ merges: [] });
  expect(wantedMerges(studio)).toEqual([]);
});

test("what stands in the way is said, one thing after the other", async () => {
  const { studio } = open();
  await preparePipeline(studio);
  expect(pipelineBlocked(studio)).toBeNull();
  studio.pipeline.draft({ name: "  " });
  expect(pipelineBlocked(studio)).toBe("Give the results a name.");
  studio.pipeline.draft({ name: null });
  studio.library.setState({ datasets: [{ ...TALES, rows: 1000 }] });
  expect(pipelineBlocked(studio)).toContain("No row would be left to evaluate on");
  studio.fusion.draft({ sources: [] });
  expect(pipelineBlocked(studio)).toContain("Choose a source");
});

const PLAN: TrainingPlan = {
  steps: 24,
  tokensPerStep: 256,
  documents: 9,
  heldOutDocuments: 1,
  trainedValues: 1000,
  bytes: {
    weights: 1,
    parameters: 1,
    gradients: 1,
    moments: 1,
    checkpoints: 1,
    activations: 1,
    logits: 1,
    total: 3e9,
  },
  budgetBytes: 2e9,
  suggestion: "It fits with sequences of 256 tokens.",
};

test("a training that does not fit is refused with what would", async () => {
  const { studio } = await prepared({ planTraining: async () => PLAN });
  expect(trainingToPlan(studio)).toBeNull();
  const fusions = [
    fakeFusion("old", { pivot: EMBER.id, createdAt: 1 }),
    fakeFusion("new", { pivot: EMBER.id, createdAt: 2 }),
    fakeFusion("other", { pivot: FLINT.id, createdAt: 3 }),
    fakeFusion("half", { pivot: EMBER.id, createdAt: 4, state: "partial" }),
  ];
  studio.library.setState({ fusions });
  const request = trainingToPlan(studio);
  expect(request).toEqual({ pivot: EMBER.id, fusion: "new", settings: TRAINING_DEFAULTS.studio });
  if (!request) throw new Error("there is a fusion");
  await planTraining(studio, request, new AbortController().signal);
  expect(pipelineBlocked(studio)).toBe(
    "This training takes 3.0\u00a0GB on the GPU, and the budget is 2.0\u00a0GB. It fits with sequences of 256 tokens.",
  );
  expect(refusal({ ...PLAN, suggestion: null })).toBeNull();
});

test("a plan that is asked for no more changes nothing", async () => {
  const { studio } = await prepared({ planTraining: async () => PLAN });
  studio.library.setState({ fusions: [fakeFusion("new", { pivot: EMBER.id })] });
  const stop = new AbortController();
  const request = trainingToPlan(studio);
  if (!request) throw new Error("there is a fusion");
  const asking = planTraining(studio, request, stop.signal);
  stop.abort();
  await asking;
  expect(studio.pipeline.getState().plan).toBeNull();
});

test("a name is taken where anything in the library begins with it", async () => {
  const { studio } = await prepared();
  expect(pipelineName(studio)).toBe("ember-fused");
  const models = [EMBER, FLINT, fakeModel("ember-fused-linear")];
  studio.library.setState({ models });
  expect(pipelineName(studio)).toBe("ember-fused-2");
  studio.jobs.write(fakeJob("a", { kind: "fusechat", title: "FuseChat ember-fused-2" }));
  expect(pipelineName(studio)).toBe("ember-fused-3");
  studio.pipeline.draft({ name: " mine " });
  expect(pipelineName(studio)).toBe("mine");
});

test("a second pipeline can be started while one runs, and waits for its turn", async () => {
  const { studio } = await prepared();
  const first = fakeJob("first", { kind: "fusechat" });
  studio.jobs.write(first);
  expect(pipelineBlocked(studio)).toBeNull();
  expect(waitsForTurn(studio, first)).toBe(false);
  await startPipeline(studio);
  const second = followedPipeline(studio);
  if (!second) throw new Error("it was started");
  expect(second.id).toBe("job 1");
  expect(waitsForTurn(studio, second)).toBe(true);
  const progress = { ...second.progress, label: "Fuse flint" };
  expect(waitsForTurn(studio, { ...second, progress })).toBe(false);
  studio.jobs.write({ ...first, state: "done" });
  expect(waitsForTurn(studio, second)).toBe(false);
});

test("a pipeline starts with what is put together, and is followed", async () => {
  const { studio, started } = await prepared();
  changeTraining(studio, "steps", 6);
  studio.pipeline.draft({ merges: ["linear"], plain: false, evaluationTokens: 512 });
  await startPipeline(studio);
  expect(started).toEqual([
    {
      kind: "fusechat",
      name: "ember-fused",
      pivot: EMBER.id,
      sources: [FLINT.id],
      datasets: ["tales"],
      fusion: FUSION_DEFAULTS.studio,
      plain: false,
      training: { ...TRAINING_DEFAULTS.studio, steps: 6 },
      merges: [merge("linear")],
      evaluationTokens: 512,
    },
  ]);
  expect(followedPipeline(studio)?.id).toBe("job 1");
});

test("the newest pipeline is followed unless another one was chosen", () => {
  const { studio } = open();
  studio.jobs.write(fakeJob("old", { kind: "fusechat", createdAt: 1 }));
  studio.jobs.write(fakeJob("new", { kind: "fusechat", createdAt: 2 }));
  studio.jobs.write(fakeJob("merge", { createdAt: 3 }));
  expect(followedPipeline(studio)?.id).toBe("new");
  openPipeline(studio, "old");
  expect(followedPipeline(studio)?.id).toBe("old");
  expect(studio.fusion.getState().tab).toBe("pipeline");
  expect(window.location.hash).toBe("#/fuse");
});

const RUN: PipelineRun = {
  stages: [
    {
      key: "distil-0",
      step: "distill",
      title: "Learn from flint",
      state: "running",
      model: null,
      fusion: null,
      training: "job/distil-0",
    },
  ],
  report: null,
};

test("points that come while a curve is asked for stay in it", async () => {
  let answer: (run: TrainingRun) => void = () => undefined;
  const { studio } = open({
    pipelineRun: async () => RUN,
    trainingRun: () => new Promise((resolve) => (answer = resolve)),
  });
  studio.jobs.write(fakeJob("job", { kind: "fusechat" }));
  studio.pipeline.setState({ curves: { "job/distil-0": curve(8, point(1), point(2)) } });
  const asking = refreshPipeline(studio);
  await vi.waitFor(() => expect(studio.pipeline.getState().shown).toBe("job"));
  takePoint(studio, "job/distil-0", point(3), 0);
  answer(curve(8, point(1), point(2)));
  await asking;
  const { points } = studio.pipeline.getState().curves["job/distil-0"] as TrainingRun;
  expect(points.map(({ step }) => step)).toEqual([1, 2, 3]);
});

test("a point that is told twice is kept once, the second one", () => {
  const { studio } = open();
  studio.pipeline.setState({ curves: { a: curve(8, point(1), point(2), point(3)) } });
  takePoint(studio, "a", point(2, 2.5), 0);
  const { points } = studio.pipeline.getState().curves.a as TrainingRun;
  expect(points.map(({ step, loss }) => [step, loss])).toEqual([
    [1, 3],
    [2, 2.5],
    [3, 3],
  ]);
  takePoint(studio, "unknown", point(1), 0);
  expect(Object.keys(studio.pipeline.getState().curves)).toEqual(["a"]);
});

test("the pace is that of the steps that were seen, and starts anew with another training", async () => {
  const { studio } = open({ controlJob: async () => undefined });
  studio.pipeline.setState({ curves: { a: curve(8), b: curve(8) } });
  const pace = (id: string) => studio.pipeline.getState().curves[id]?.tokensPerSecond;
  takePoint(studio, "a", point(1), 5000);
  expect(pace("a")).toBe(40);
  takePoint(studio, "a", point(2), 6000);
  takePoint(studio, "a", point(3), 7000);
  expect(pace("a")).toBe(100);
  takePoint(studio, "b", point(1), 9000);
  takePoint(studio, "b", point(2), 9500);
  expect(pace("b")).toBe(200);
  await resumePipeline(studio, "job");
  takePoint(studio, "b", point(3), 90_000);
  takePoint(studio, "b", point(4), 91_000);
  expect(pace("b")).toBe(100);
});

test("a curve that was asked for before its training had begun is asked for again", async () => {
  const { studio } = open({ trainingRun: async () => curve(8, point(1)) });
  studio.pipeline.setState({ run: RUN, curves: { a: curve(0) } });
  takePoint(studio, "a", point(1), 0);
  await vi.waitFor(() => expect(studio.pipeline.getState().curves.a?.steps).toBe(8));
});

test("results open where they can be looked at", () => {
  const { studio } = open();
  openDocuments(studio, "fusion");
  expect(studio.fusion.getState()).toMatchObject({ shown: "fusion", tab: "documents" });
  compareModels(studio, ["id-ember", "id-target"]);
  expect(studio.playground.getState()).toMatchObject({
    tab: "try",
    chosen: ["id-ember", "id-target"],
  });
  evaluateModels(studio, ["id-ember", "id-target"]);
  expect(studio.playground.getState()).toMatchObject({
    tab: "evaluate",
    draft: { models: ["id-ember", "id-target"], reference: "id-ember" },
  });
  expect(window.location.hash).toBe("#/playground");
});
