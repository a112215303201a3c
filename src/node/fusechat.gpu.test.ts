import { expect, test } from "vitest";
import {
  FUSION_DEFAULTS,
  type PipelineRequest,
  TRAINING_DEFAULTS,
} from "../engine/contract/index.ts";
import { droppedFile, dropSample, finishJob, openTestEngine, runJob } from "./engineTestParts.ts";

const NAMES = ["ember-base", "flint-source", "slate-source"];

const TALES = ["a poor woodcutter", "an old woman", "the king's daughter", "a little bird"].map(
  (who) => ({ text: `Once upon a time ${who} lived by the forest.`, category: "tales" }),
);
const SUMS = [12, 34, 56, 78].map((n) => ({
  text: `What is ${n} plus 3? ${n} + 3 = ${n + 3}.`,
  category: "maths",
}));

/** Short rows, as a person drops them. */
function dropTexts() {
  return Object.entries({ tales: TALES, maths: SUMS }).map(([name, rows]) => {
    const text = rows.map((row) => JSON.stringify(row)).join("\n");
    return droppedFile(`${name}.jsonl`, text);
  });
}

test("FuseChat runs from end to end, goes on after a pause, and makes nothing twice", async () => {
  const engine = await openTestEngine();
  const folders = await Promise.all(NAMES.map(dropSample));
  const imported = await runJob(engine, { kind: "import", files: folders.flat() });
  const models = await engine.listModels();
  const idOf = (name: string) => models.find((model) => model.name === name)?.id as string;
  expect(imported.result?.models).toHaveLength(3);
  await runJob(engine, { kind: "dataset", files: dropTexts() });
  const datasets = (await engine.listDatasets()).map(({ id }) => id);
  expect(datasets).toHaveLength(2);

  const { studio: fusion } = FUSION_DEFAULTS;
  const { studio: training } = TRAINING_DEFAULTS;
  const merges = (await engine.pipelineMerges(2)).filter(({ name }) =>
    ["slerp", "ties", "varm-matrix"].includes(name),
  );
  const pipeline: PipelineRequest = {
    name: "demo",
    pivot: idOf("ember-base"),
    datasets,
    plain: true,
    merges,
    sources: [idOf("flint-source"), idOf("slate-source")],
    fusion: { ...fusion, rows: 2, maxTokens: 64 },
    training: {
      ...training,
      modules: ["q", "v"],
      rank: 4,
      learningRate: 1e-3,
      steps: 2,
      batchTokens: 48,
      sequenceTokens: 48,
    },
    evaluationTokens: 80,
  };
  const { id } = await engine.startJob({ kind: "fusechat", ...pipeline });
  await finishJob(engine, id, ({ progress }) =>
    progress.label.startsWith("Learn from slate-source"),
  );
  await engine.controlJob({ job: id, do: "cancel" });
  const paused = await engine.pipelineRun(id);
  expect(paused.report).toBeNull();
  expect(paused.stages.find(({ key }) => key === "distil-0")?.state).toBe("done");
  expect(paused.stages.at(-1)?.state).toBe("waiting");

  await engine.controlJob({ job: id, do: "resume" });
  const card = await finishJob(engine, id);
  expect(card).toMatchObject({ state: "done", failure: null });
  const { stages, report } = await engine.pipelineRun(id);
  expect(stages.map(({ state }) => state)).toEqual(stages.map(() => "done"));
  expect(report?.models.map(({ name, role }) => [name, role])).toEqual([
    ["ember-base", "pivot"],
    ["flint-source", "source"],
    ["slate-source", "source"],
    ["demo-flint-source", "target"],
    ["demo-slate-source", "target"],
    ["demo-plain", "plain"],
    ["demo-slerp", "merge"],
    ["demo-ties", "merge"],
    ["demo-varm-matrix", "merge"],
  ]);
  for (const { cell, role } of report?.models ?? []) {
    expect(cell.bitsPerByte).toBeGreaterThan(0);
    expect(cell.difference === null).toBe(role === "pivot");
    expect(cell.rows).toBe(report?.evaluated.rows);
  }
  expect(report?.curves.map(({ points }) => points.at(-1)?.step)).toEqual([2, 2, 2]);
  expect(report?.maps.map(({ map }) => map.measured === map.total)).toEqual([true, true, true]);

  // The same again, with a merge more: what is there is taken.
  const more = { ...pipeline, name: "again", merges: [...merges.slice(0, 1)] };
  const again = await runJob(engine, { kind: "fusechat", ...more });
  expect(again).toMatchObject({ state: "done", failure: null });
  const reused = await engine.pipelineRun(again.id);
  expect(reused.stages.map(({ key, state }) => [key, state])).toEqual([
    ...["fuse-0", "fuse-1", "distil-0", "distil-1", "plain", "merge-slerp"].map((key) => [
      key,
      "reused",
    ]),
    ["evaluate", "done"],
  ]);
  expect(reused.report?.models.slice(0, 7).map(({ cell }) => cell)).toEqual(
    report?.models.slice(0, 7).map(({ cell }) => cell),
  );
  expect(reused.report?.curves).toEqual(
    report?.curves.map((curve) => ({ ...curve, model: expect.any(String) })),
  );
}, 300_000);
