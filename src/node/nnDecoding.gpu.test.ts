import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { acquireGpu } from "../engine/gpu/device.ts";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { measureDecoder } from "../engine/runtime/decoder/plan.ts";
import { generate } from "../engine/runtime/generate/generate.ts";
import { GREEDY } from "../engine/runtime/generate/sample.ts";
import { readCrossEntropy, readLogits } from "../engine/runtime/generate/score.ts";
import { tuneKernels } from "../engine/runtime/tuning/tuneDecoder.ts";
import { openFiles } from "./files.ts";

const { cases } = JSON.parse(readFileSync("goldens/nn/manifest.json", "utf8"));
const EMBER = cases["ember-base"];

const gpu = await useGpu({ defaultLimits: true });

const opened: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(opened.map((close) => close())));
async function checkpointOf(folder: string): Promise<Checkpoint> {
  const { files, close } = await openFiles(folder);
  opened.push(close);
  return openCheckpoint(files, folder);
}

const largestGap = (a: Float32Array, b: Float32Array) =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

test("100 greedy tokens are those of transformers, but for near ties", async () => {
  const model = await openDecoder(gpu, await checkpointOf(EMBER.model));
  const drawn: number[] = [];
  const tokens = EMBER.greedy.length;
  for await (const { id } of generate(gpu, model, EMBER.prompt, { tokens, sampling: GREEDY })) {
    drawn.push(id);
  }
  const firstOther = drawn.findIndex((id, i) => id !== EMBER.greedy[i]);
  // Twice the bound on logits: below it either answer is right, and what follows is another text.
  const tie = firstOther >= 0 && EMBER.gaps[firstOther] <= 4e-3;
  expect(drawn).toHaveLength(tokens);
  expect(firstOther < 0 || tie).toBe(true);
  model.release();
});

test("a stop token ends the text and comes last", async () => {
  const model = await openDecoder(gpu, await checkpointOf(EMBER.model));
  const drawn: number[] = [];
  const options = { tokens: 50, sampling: GREEDY, stopIds: [EMBER.greedy[5]] };
  for await (const { id } of generate(gpu, model, EMBER.prompt, options)) drawn.push(id);
  const first = EMBER.greedy.indexOf(EMBER.greedy[5]);
  expect(drawn).toEqual(EMBER.greedy.slice(0, first + 1));
  model.release();
});

test("an aborted generation ends as cancelled and gives its cache back", async () => {
  const model = await openDecoder(gpu, await checkpointOf(EMBER.model));
  const before = gpu.pool.usedBytes;
  const controller = new AbortController();
  const options = { tokens: 50, sampling: GREEDY, signal: controller.signal };
  const run = async () => {
    for await (const _ of generate(gpu, model, EMBER.prompt, options)) controller.abort();
  };
  await expect(run()).rejects.toMatchObject({ name: "AbortError" });
  expect(gpu.pool.usedBytes).toBe(before);
  model.release();
});

test.each([
  "goldens/nn/models/gemma2",
  "goldens/nn/models/gpt2-odd",
  "goldens/nn/models/mistral-window",
])(
  "%s gives the same logits in one pass, in chunks, token by token and layer by layer",
  async (folder) => {
    const checkpoint = await checkpointOf(folder);
    const ids = Array.from({ length: 23 }, (_, i) => (i * 17 + 3) % 61);
    const whole = await openDecoder(gpu, checkpoint);
    const want = await readLogits(gpu, whole, ids, "all");

    const chunked = await openDecoder(gpu, checkpoint, { rows: 4 });
    expect(largestGap(await readLogits(gpu, chunked, ids, "all"), want)).toBeLessThanOrEqual(1e-5);

    const streamed = await openDecoder(gpu, checkpoint, { streamed: true });
    expect(streamed.plan.streamed).toBe(true);
    expect(largestGap(await readLogits(gpu, streamed, ids, "all"), want)).toBeLessThanOrEqual(1e-5);

    const cache = whole.newCache(ids.length);
    await readLogits(gpu, whole, ids.slice(0, 10), "last", { cache });
    for (let i = 10; i < ids.length; i++) {
      const logits = await readLogits(gpu, whole, [ids[i] as number], "last", { cache });
      const expected = want.slice(i * whole.vocabSize, (i + 1) * whole.vocabSize);
      expect(largestGap(logits, expected), `position ${i}`).toBeLessThanOrEqual(1e-5);
    }
    // What was forgotten leaves no trace.
    cache.truncate(5);
    const again = await readLogits(gpu, whole, ids.slice(5, 9), "last", { cache });
    const eighth = want.slice(8 * whole.vocabSize, 9 * whole.vocabSize);
    expect(largestGap(again, eighth)).toBeLessThanOrEqual(1e-5);
    for (const part of [cache, whole, chunked, streamed]) part.release();
  },
);

test("a text that grows beyond longrope's first context is read as a long one, and back", async () => {
  const checkpoint = await checkpointOf("goldens/nn/models/phi3-longrope");
  const model = await openDecoder(gpu, checkpoint, { rows: 4 });
  const { scaling } = model.spec.layers[0]?.attention.rope ?? {};
  const context = scaling?.kind === "longrope" ? scaling.originalContext : Number.NaN;
  const ids = Array.from({ length: context + 3 }, (_, i) => (i * 17 + 3) % model.vocabSize);
  const cache = model.newCache(ids.length);
  const expectSame = async (from: number, to: number) => {
    const kept = await readLogits(gpu, model, ids.slice(from, to), "all", { cache });
    const anew = await readLogits(gpu, model, ids.slice(0, to), "all");
    const want = anew.slice(from * model.vocabSize);
    expect(kept).toHaveLength(want.length);
    expect(largestGap(kept, want), `tokens ${from} to ${to}`).toBeLessThanOrEqual(1e-5);
  };
  await expectSame(0, context - 2);
  await expectSame(context - 2, context);
  await expectSame(context, context + 2);
  await expectSame(context + 2, context + 3);
  cache.truncate(context - 1);
  await expectSame(context - 1, context);
  for (const part of [cache, model]) part.release();
});

test("kernels that were timed give the rule's logits, but for roundings", async () => {
  const checkpoint = await checkpointOf(EMBER.model);
  const options = { rows: 32, budgetMs: 60_000 };
  const kernels = await tuneKernels(gpu, measureDecoder(checkpoint), options);
  const [byRule, timed] = [
    await openDecoder(gpu, checkpoint),
    await openDecoder(gpu, checkpoint, { kernels }),
  ];
  const ids = EMBER.ids.slice(0, 40);
  const want = await readLogits(gpu, byRule, ids, "all");
  expect(largestGap(await readLogits(gpu, timed, ids, "all"), want)).toBeLessThanOrEqual(1e-4);
  for (const model of [byRule, timed]) model.release();
});

test("the nats of a text are those of transformers to six digits", async () => {
  const checkpoint = await checkpointOf(EMBER.model);
  const model = await openDecoder(gpu, checkpoint);
  const nats = await readCrossEntropy(gpu, model, EMBER.ids);
  const sum = nats.reduce((total, value) => total + value, 0);
  expect(nats).toHaveLength(EMBER.ids.length - 1);
  expect(Math.abs(sum / EMBER.nats - 1)).toBeLessThanOrEqual(1e-6);
  model.release();
});

test.each([
  { budgetBytes: 2_000_000, ahead: true },
  { budgetBytes: 1_200_000, ahead: false },
])(
  "a budget of $budgetBytes streams layers, ahead: $ahead, keeps to it, and all bytes come back",
  async ({ budgetBytes, ahead }) => {
    const checkpoint = await checkpointOf(EMBER.model);
    const small = await acquireGpu(navigator.gpu, { defaultLimits: true, budgetBytes });
    const model = await openDecoder(small, checkpoint, { rows: 32 });
    expect(model.plan).toMatchObject({ streamed: true, ahead, budgetBytes });
    const ids = EMBER.ids.slice(0, 40);
    const cache = model.newCache(ids.length);
    await readLogits(small, model, ids, "last", { cache });
    const cacheBytes = 2 * 6 * ids.length * 4 * 16 * 4;
    const readback = 1024 * 4;
    const planned = model.plan.peakBytes + cacheBytes + readback;
    expect(Math.abs(small.pool.peakBytes / planned - 1)).toBeLessThanOrEqual(0.02);
    cache.release();
    model.release();
    expect(small.pool.usedBytes).toBe(0);
    small.destroy();
  },
);

test("a budget that not even one layer fits is refused before anything is loaded", async () => {
  const checkpoint = await checkpointOf(EMBER.model);
  const small = await acquireGpu(navigator.gpu, { budgetBytes: 600_000 });
  await expect(openDecoder(small, checkpoint)).rejects.toMatchObject({ code: "gpu-memory" });
  expect(small.pool.peakBytes).toBe(0);
  small.destroy();
});

test.each([
  ["an id beyond the vocabulary", [1, 1024]],
  ["a negative id", [-1]],
  ["half an id", [1.5]],
  ["no ids", []],
])("%s is refused as usage, and the model goes on", async (_, ids) => {
  const model = await openDecoder(gpu, await checkpointOf(EMBER.model));
  await expect(readLogits(gpu, model, ids, "last")).rejects.toMatchObject({ code: "usage" });
  expect((await readLogits(gpu, model, [1, 2], "last")).length).toBe(1024);
  model.release();
});

test("calls at the same time do not disturb each other", async () => {
  const model = await openDecoder(gpu, await checkpointOf(EMBER.model));
  const texts = [EMBER.ids.slice(0, 9), EMBER.ids.slice(20, 33)];
  const alone: Float32Array[] = [];
  for (const ids of texts) alone.push(await readLogits(gpu, model, ids, "last"));
  const together = await Promise.all(texts.map((ids) => readLogits(gpu, model, ids, "last")));
  expect(together).toEqual(alone);
  model.release();
});
