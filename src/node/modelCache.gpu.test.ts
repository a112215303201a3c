import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { GpuProvider } from "../engine/gpu/device.ts";
import { readLogits } from "../engine/runtime/generate/score.ts";
import { findRunnable } from "../engine/runtime/language/findRunnable.ts";
import { createModelCache, type ModelCache } from "../engine/runtime/language/modelCache.ts";
import { openFiles } from "./files.ts";

/** A sample takes 4.0 MB, its cache 0.8 and readbacks 1.1: one of them fits, two do not. */
const BUDGET_BYTES = 6 * 2 ** 20;
const NAMES = ["ember-base", "ember-tales"] as const;
const [BASE, TALES] = NAMES;
const IDS = [1, 70, 71, 72];

const checkpoints = new Map<string, Checkpoint>();
const closing: (() => Promise<void>)[] = [];
let gpuProvider: GpuProvider;
let modelCache: ModelCache;
let loads: string[];

beforeAll(async () => {
  for (const name of NAMES) {
    const { files, close } = await openFiles(join("public", "samples", name));
    closing.push(close);
    checkpoints.set(name, await openCheckpoint(files, name));
  }
});
beforeEach(() => {
  gpuProvider = new GpuProvider(navigator.gpu, BUDGET_BYTES);
  const open = async (id: string) => checkpoints.get(id) as Checkpoint;
  modelCache = createModelCache({ gpuProvider, library: { open } });
  loads = [];
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** The likeliest next token; `during` runs while the model is in use. */
function use(id: string, during: () => Promise<void> = async () => {}, signal?: AbortSignal) {
  const onLoading = (doneBytes: number, _: number, label: string) => {
    if (label.startsWith("waiting")) loads.push(`${id} waits`);
    else if (doneBytes === 0) loads.push(id);
  };
  return modelCache.use(id, { tokens: 16, signal, onLoading }, async ({ gpu, model }) => {
    await during();
    const logits = await readLogits(gpu, model, IDS, "last");
    expect(gpu.pool.usedBytes).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(logits.every(Number.isFinite)).toBe(true);
    return logits.indexOf(Math.max(...logits));
  });
}

const usedBytes = async () => (await gpuProvider.get()).pool.usedBytes;

test("a model stays loaded until another needs its room", async () => {
  const first = await use(BASE);
  expect(await use(BASE)).toBe(first);
  expect(loads).toEqual([BASE]);
  await use(TALES);
  expect(await use(BASE)).toBe(first);
  expect(loads).toEqual([BASE, TALES, BASE]);
});

test("who needs the room of a model in use waits for it", async () => {
  const order: string[] = [];
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const one = use(BASE, () => held).then(() => order.push(BASE));
  const other = use(TALES).then(() => order.push(TALES));
  await expect.poll(() => loads).toContain(`${TALES} waits`);
  finish();
  await Promise.all([one, other]);
  expect(order).toEqual([BASE, TALES]);
});

test("who gives up waiting holds nobody up", async () => {
  const controller = new AbortController();
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const one = use(BASE, () => held);
  const other = use(TALES, undefined, controller.signal);
  await expect.poll(() => loads).toContain(`${TALES} waits`);
  controller.abort(new Error("given up"));
  await expect(other).rejects.toThrow("given up");
  expect(await use(BASE)).toBeGreaterThanOrEqual(0); // While it is in use elsewhere, too.
  finish();
  await one;
});

test("what was given up while it loaded is not kept in use", async () => {
  const controller = new AbortController();
  const given = use(BASE, undefined, controller.signal);
  await expect.poll(() => loads.length, { interval: 1 }).toBeGreaterThan(0);
  controller.abort(new Error("given up"));
  await expect(given).rejects.toThrow("given up");
  await use(TALES);
  modelCache.releaseIdle();
  expect(await usedBytes()).toBe(0);
});

test("a model that is larger than the budget reads layer by layer, and the same", async () => {
  const whole = await use(BASE);
  const small = new GpuProvider(navigator.gpu, 2 * 2 ** 20);
  const open = async () => checkpoints.get(BASE) as Checkpoint;
  const streaming = createModelCache({ gpuProvider: small, library: { open } });
  await streaming.use(BASE, { tokens: 16 }, async ({ gpu, model }) => {
    const logits = await readLogits(gpu, model, IDS, "last");
    expect(logits.indexOf(Math.max(...logits))).toBe(whole);
    // Less than the weights alone.
    expect(gpu.pool.peakBytes).toBeLessThanOrEqual(2 * 2 ** 20);
  });
});

test("what one use will take is not free for another before it is taken", async () => {
  await use(BASE);
  const runnable = findRunnable(checkpoints.get(BASE) as Checkpoint);
  const { contextLength } = runnable;
  const { cache, passing } = runnable.readingBytes(contextLength);
  // Room for one reading of the whole context beside the model, and for half of another.
  const budget = (await usedBytes()) + Math.ceil(1.5 * (cache + passing));
  const tight = new GpuProvider(navigator.gpu, budget);
  const space = { freeBytes: budget, bindingBytes: 2 ** 27 };
  expect(runnable.findRoom(space, contextLength)).toBe("whole");
  const open = async () => checkpoints.get(BASE) as Checkpoint;
  const tightCache = createModelCache({ gpuProvider: tight, library: { open } });
  const begun: string[] = [];
  const read = (name: string, before: Promise<void>, onLoading = () => {}) =>
    tightCache.use(BASE, { tokens: contextLength, onLoading }, async ({ gpu, model }) => {
      begun.push(name);
      await before;
      const made = model.newCache(contextLength);
      expect(gpu.pool.usedBytes).toBeLessThanOrEqual(budget);
      made.release();
    });
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let waited = false;
  const first = read("first", held);
  await expect.poll(() => begun).toEqual(["first"]);
  const second = read("second", Promise.resolve(), () => {
    waited = true;
  });
  await expect.poll(() => waited).toBe(true);
  expect(begun).toEqual(["first"]);
  finish();
  await Promise.all([first, second]);
  expect(begun).toEqual(["first", "second"]);
});

test("a pass without a cache leaves its room set aside, and the last use leaves nothing", async () => {
  const { readingBytes } = findRunnable(checkpoints.get(BASE) as Checkpoint);
  let [during, after] = [0, 0];
  await use(BASE);
  const resident = await usedBytes();
  await modelCache.use(BASE, { tokens: 64 }, async ({ gpu, model }) => {
    during = gpu.pool.usedBytes;
    await readLogits(gpu, model, IDS, "last");
    after = gpu.pool.usedBytes;
  });
  expect(during).toBe(resident + readingBytes(64).cache);
  expect(after).toBe(during);
  expect(await usedBytes()).toBe(resident);
});

test("a model that streams has one user at a time, and nobody beside it", async () => {
  const small = new GpuProvider(navigator.gpu, 2 * 2 ** 20);
  const open = async (id: string) => checkpoints.get(id) as Checkpoint;
  const streaming = createModelCache({ gpuProvider: small, library: { open } });
  let users = 0;
  const alone = (id: string) =>
    streaming.use(id, { tokens: 16 }, async ({ gpu, model }) => {
      users += 1;
      const logits = await readLogits(gpu, model, IDS, "last");
      expect(users).toBe(1);
      users -= 1;
      return logits.indexOf(Math.max(...logits));
    });
  const [one, other, again] = await Promise.all([alone(BASE), alone(TALES), alone(BASE)]);
  expect(again).toBe(one);
  expect(other).toBe(await use(TALES));
});

test("a forgotten model's memory is given back after its last use", async () => {
  await use(BASE, async () => modelCache.forget(BASE));
  expect(await usedBytes()).toBe(0);
});

test("after a lost device the model is loaded onto a new one", async () => {
  const first = await use(BASE);
  const gpu = await gpuProvider.get();
  gpu.destroy();
  await gpu.device.lost;
  expect(await use(BASE)).toBe(first);
  expect(loads).toEqual([BASE, BASE]);
});
