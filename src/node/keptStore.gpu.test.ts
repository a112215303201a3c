import { createHash } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/contract/index.ts";
import { folderInMemory } from "../engine/storage/testFolder.ts";
import { finishJob, openTestEngine, runJob } from "./engineTestParts.ts";
import { restoreStore } from "./keptStore.ts";

/**
 * A browser's database as 0.1.0 left it when its tab was closed: five samples, two datasets, a merge,
 * an evaluation, and a pipeline in the middle of its second training with a merge queued behind it.
 * What is expected is what 0.1.0 itself showed of it, and made of the two when it went on: its TIES
 * counted every vote alike, whatever recipes mean by themselves today.
 */
const TIES_WEIGHTS = "5e522e432d508071c94c75859f51ab993b1328caaf0955848d2d405a6439c4fb";
/** Bits per byte over all rows of the models that were there before the pipeline went on. */
const BITS_PER_BYTE = {
  "ember-base": 3.854836193071308,
  "flint-source": 4.661935833336423,
  "slate-source": 3.4618282235293627,
};

const root = folderInMemory("private", { sync: true });
let engine: Engine;

beforeAll(async () => {
  await restoreStore("0.1.0");
  engine = await openTestEngine({
    getDirectory: async () => root.handle,
  } as unknown as StorageManager);
});

/** SHA-256 of a model's weights, without the file's header, which names the version that wrote it. */
async function hashWeights(model: string): Promise<string> {
  const { id } = await runJob(engine, { kind: "export", model, folder: null });
  const bytes = root.files()[`exports/${id}/model.safetensors`] as Uint8Array;
  const header = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return createHash("sha256")
    .update(bytes.subarray(8 + header))
    .digest("hex");
}

test("a library of 0.1.0 is shown as it was left", async () => {
  const models = (await engine.listModels()).map(({ name, state }) => [name, state]);
  expect(models.toSorted()).toEqual(
    [
      "demo-flint-source",
      "ember-base",
      "ember-drama",
      "ember-tales",
      "flint-source",
      "kept-varm",
      "slate-source",
    ].map((name) => [name, "complete"]),
  );
  expect((await engine.listDatasets()).map(({ name }) => name).toSorted()).toEqual([
    "maths.jsonl",
    "tales.jsonl",
  ]);
  const states = (await engine.listJobs()).map(({ title, state }) => [title, state]);
  expect(states).toEqual([
    ["Merge kept-ties", "interrupted"],
    ["FuseChat demo", "interrupted"],
    ["Evaluate 2 models on 2 datasets", "done"],
    ["Merge kept-varm", "done"],
    ["Add 2 datasets", "done"],
    ["Import 5 models", "done"],
  ]);
  const [fused] = await engine.listFusions();
  expect(fused).toMatchObject({ name: "demo from slate-source", documents: 4, rows: 78 });
  const { excerpt } = (
    await engine.fusedDocuments({ fusion: fused?.id as string, from: 2, count: 1 })
  )[0] as { excerpt: string };
  expect(excerpt).toBe("Once upon a time a poor woodcutter lived by the forest.</s>");
});

test("a merge and a pipeline that 0.1.0 left half done go on", async () => {
  const jobs = await engine.listJobs();
  const merge = jobs.find(({ title }) => title === "Merge kept-ties");
  const pipeline = jobs.find(({ kind }) => kind === "fusechat");
  await engine.controlJob({ job: merge?.id as string, do: "resume" });
  const merged = await finishJob(engine, merge?.id as string);
  expect(merged).toMatchObject({ state: "done", failure: null });
  expect(await hashWeights(merged.result?.models[0] as string)).toBe(TIES_WEIGHTS);

  await engine.controlJob({ job: pipeline?.id as string, do: "resume" });
  expect(await finishJob(engine, pipeline?.id as string)).toMatchObject({
    state: "done",
    failure: null,
  });
  const { stages, report } = await engine.pipelineRun(pipeline?.id as string);
  expect(stages.map(({ state }) => state)).toEqual(stages.map(() => "done"));
  expect(report?.models.map(({ name }) => name)).toEqual([
    "ember-base",
    "flint-source",
    "slate-source",
    "demo-flint-source",
    "demo-slate-source",
    "demo-plain",
    "demo-slerp",
    "demo-ties",
    "demo-varm-matrix",
  ]);
  for (const [name, bits] of Object.entries(BITS_PER_BYTE)) {
    const cell = report?.models.find((model) => model.name === name)?.cell;
    // Adapters round float32 logits in their own order: some 1e-5 of a nat in the mean of a text.
    expect(Math.abs((cell?.bitsPerByte as number) - bits)).toBeLessThanOrEqual(1e-4);
  }
}, 300_000);
