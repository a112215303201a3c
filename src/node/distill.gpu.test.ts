import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import {
  TRAINING_DEFAULTS,
  type TrainingPoint,
  type TrainingSettings,
} from "../engine/contract/index.ts";
import { createMemoryTree } from "../engine/core/memoryTree.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { readCrossEntropy } from "../engine/runtime/generate/score.ts";
import { prepareTraining } from "../engine/train/distillJob.ts";
import { openTrainingDocuments } from "../engine/train/documents.ts";
import { recordTraining } from "../engine/train/recordState.ts";
import { planResult } from "../engine/train/result.ts";
import { runTraining } from "../engine/train/run.ts";
import { writeTarget } from "../engine/train/targetFiles.ts";
import { openFiles } from "./files.ts";
import { FusionBench } from "./fuseTestParts.ts";

const TALES = [
  "Once upon a time a poor woodcutter lived by the forest with his two children.",
  "The children went into the wood and found a house of bread and sugar.",
  "An old woman opened the door and asked who was nibbling at her house.",
  "The wind, the wind, the child of heaven, said the children, and went on eating.",
  "In the morning the old woman put the boy into a little stable with a grated door.",
  "She called the girl and said: fetch water, and cook something good for your brother.",
];
const texts = TALES.map((text) => JSON.stringify({ text })).join("\n");

const SETTINGS: TrainingSettings = {
  ...TRAINING_DEFAULTS.studio,
  modules: ["q", "v", "down"],
  rank: 4,
  dropout: 0.1,
  learningRate: 2e-3,
  steps: 4,
  batchTokens: 96,
  sequenceTokens: 48,
  holdout: 0.2,
  evaluateEvery: 2,
};

let bench: FusionBench;
let pivot: Checkpoint;
let fusion: string;
let close: () => Promise<void>;
beforeAll(async () => {
  bench = await FusionBench.open("distill");
  for (const name of ["ember-base", "flint-source"]) await bench.addSample(name);
  await bench.addDataset("texts.jsonl", texts);
  const request = { pivot: "ember-base", sources: ["flint-source"], datasets: ["texts.jsonl"] };
  fusion = (await bench.fuse(request, { maxTokens: 64 })).card.id;
  const opened = await openFiles(join("public", "samples", "ember-base"));
  close = opened.close;
  pivot = await openCheckpoint(opened.files, "ember-base");
}, 120_000);
afterAll(async () => {
  await close();
  await bench.close();
});

/** Trains to the end, and writes the target; after a step it may be stopped, or lose its device. */
async function train(
  id: string,
  settings: TrainingSettings,
  after: { readonly stop?: number; readonly lose?: number } = {},
) {
  let lost = false;
  const { gpuProvider, records, fusions } = bench.parts;
  const stop = new AbortController();
  const points: TrainingPoint[] = [];
  const { store } = recordTraining(records, id);
  const documents = await openTrainingDocuments(fusions, fusion, settings);
  const heldOut: (number | null)[] = [];
  const target = await runTraining(
    {
      gpuProvider,
      pivot,
      documents,
      settings,
      store,
      signal: stop.signal,
      onStart: (before) => void heldOut.push(before),
      async onPoint(point) {
        points.push(point);
        if (point.step === after.stop) stop.abort(new Error("paused"));
        if (point.step !== after.lose || lost) return;
        lost = true;
        (await gpuProvider.get()).destroy();
      },
    },
    async (trained) => {
      const { plan, trained: values } = await planResult(pivot, settings, trained, {
        origin: { name: "target", dataset: "tales" },
        shardBytes: 5e9,
      });
      const tree = createMemoryTree();
      await writeTarget(plan, values, tree, { signal: stop.signal });
      return tree.files();
    },
  );
  return { target, points, heldOut };
}

async function bytesOf(files: Awaited<ReturnType<typeof train>>["target"]) {
  const all = new Map<string, Uint8Array>();
  for (const [path, file] of files) all.set(path, await file.read(0, file.byteLength));
  return all;
}

/** Without the files that tell the settings, which differ in when held-out texts are read. */
function withoutRecord(files: ReadonlyMap<string, Uint8Array>) {
  return new Map([...files].filter(([path]) => !/(README\.md|training\.json)$/.test(path)));
}

test("a training that was paused, or lost its device, ends bit for bit, and teaches", async () => {
  const whole = await train("whole", SETTINGS);
  await expect(train("paused", SETTINGS, { stop: 2 })).rejects.toThrow("paused");
  const resumed = await train("paused", SETTINGS);
  expect(await bytesOf(resumed.target)).toEqual(await bytesOf(whole.target));
  const steps = (points: readonly TrainingPoint[]) => points.map(({ step }) => step);
  expect(steps(whole.points)).toEqual([1, 2, 2, 3, 4, 4]); // once more where held-out texts are read
  expect(steps(resumed.points)).toEqual([3, 4, 4]);
  expect(resumed.points).toEqual(whole.points.slice(3));
  const lost = await train("lost", { ...SETTINGS, evaluateEvery: 0 }, { lose: 2 });
  expect(withoutRecord(await bytesOf(lost.target))).toEqual(
    withoutRecord(await bytesOf(whole.target)),
  );
  expect(steps(lost.points)).toEqual([1, 2, 1, 2, 3, 4, 4]); // nothing was saved yet
  const [before] = whole.heldOut;
  const after = whole.points.at(-1)?.heldOut;
  expect(after! < before!, `${before} → ${after}`).toBe(true);
}, 300_000);

test("a training that comes to no numbers stops and says in which step and where", async () => {
  const wild = {
    ...SETTINGS,
    learningRate: 1e30,
    warmup: 0,
    schedule: "constant",
    clip: 0,
  } as const;
  await expect(train("wild", wild)).rejects.toMatchObject({
    code: "nonfinite",
    message: expect.stringMatching(/^In step 2 the loss of documents? \d/),
    details: { step: 2 },
  });
}, 120_000);

test("without fusion the loss is the text's alone; all weights can be trained", async () => {
  const settings: TrainingSettings = {
    ...SETTINGS,
    mode: "full",
    lambda: 1,
    steps: 2,
    learningRate: 1e-4,
    warmup: 0,
  };
  const { points, target } = await train("full", settings);
  for (const { loss, clm, fusion: fused } of points) expect([loss, fused]).toEqual([clm, null]);
  const trained = await openCheckpoint(target, "trained");
  expect([...trained.tensors.keys()]).toEqual([...pivot.tensors.keys()]);
  expect(target.has("adapter/adapter_config.json")).toBe(false);
}, 180_000);

test("the written target reads what is held out as the adapter beside the pivot does", async () => {
  const settings: TrainingSettings = { ...SETTINGS, steps: 2, dropout: 0, dtype: "F32" };
  const { target, points } = await train("f32", settings);
  const gpu = await bench.parts.gpuProvider.get();
  const decoder = await openDecoder(gpu, await openCheckpoint(target, "target"), {});
  const documents = await openTrainingDocuments(bench.parts.fusions, fusion, settings);
  let nats = 0;
  let bytes = 0;
  for (const { pivot, supervisedBytes } of await documents.readHeldOut()) {
    // As the training reads them: in stretches that fit.
    const ids = [...pivot.tokens.ids].slice(0, settings.sequenceTokens);
    expect(ids.length).toBe(pivot.tokens.ids.length);
    const read = await readCrossEntropy(gpu, decoder, ids);
    for (const position of pivot.positions) nats += read[position]!;
    bytes += supervisedBytes;
  }
  decoder.release();
  const told = points.at(-1)?.heldOut as number;
  // W + s·B·A is rounded once to f32, where the adapter's product is added to the output: logits
  // differ by some 1e-6, and so do mean nats.
  expect(Math.abs(nats / Math.LN2 / bytes - told) <= 1e-5).toBe(true);
}, 180_000);

test("a dataset in the tokens of another tokenizer is refused, whoever of them has more", async () => {
  const { library, fusions, gpuProvider } = bench.parts;
  // Ember has the larger vocabulary: its head would take every id of Flint's.
  const request = { pivot: "flint-source", sources: ["ember-base"], datasets: ["texts.jsonl"] };
  const { card } = await bench.fuse(request, { maxTokens: 64 });
  const prepare = (pivot: string) =>
    prepareTraining(
      { library, fusions, gpuProvider },
      { pivot, fusion: card.id, settings: SETTINGS },
    );
  await expect(prepare("ember-base")).rejects.toMatchObject({ code: "mismatch" });
  expect((await prepare("flint-source")).plan.steps).toBe(SETTINGS.steps);
}, 120_000);
