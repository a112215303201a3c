import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine, JobCard, JobRequest, Recipe } from "../engine/contract/index.ts";
import { createEngine } from "../engine/create.ts";

/** The whole engine without a GPU, over the real samples, as a page without WebGPU has it. */
let server: Server;
let engine: Engine;
const channels: BroadcastChannel[] = [];
const open = () => {
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://localhost:${port}/x/`;
  const channel = new BroadcastChannel("engine test");
  channels.push(channel);
  return createEngine({ gpu: undefined, baseUrl, locks: undefined, storage: undefined, channel });
};

beforeAll(async () => {
  globalThis.indexedDB = new IDBFactory(); // another file of this process may have filled the last
  server = createServer(async ({ url = "" }, response) => {
    const path = join("public", decodeURI(url).replace(/^\/x\//, ""));
    const bytes = await readFile(path).catch(() => null);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  engine = await open();
  expect((await run({ kind: "samples" })).state).toBe("done");
});
afterAll(() => {
  for (const channel of channels) channel.close();
  server.close();
});

/** Starts a job and waits for its end, told by the engine's own events. */
async function run(request: JobRequest): Promise<JobCard> {
  const controller = new AbortController();
  let id: string | undefined;
  const last = new Map<string, JobCard>();
  const watching = engine.watch(undefined, {
    signal: controller.signal,
    onEvent(event) {
      if (event.type !== "job") return;
      last.set(event.job.id, event.job);
      if (event.job.id === id && event.job.state !== "running") controller.abort();
    },
  });
  id = (await engine.startJob(request)).id;
  if (last.get(id)?.state !== "running") controller.abort();
  await watching;
  return last.get(id) as JobCard;
}

const RECIPE: Recipe = {
  method: "linear",
  base: "ember-base",
  models: [
    { model: "ember-tales", parameters: { weight: 0.5 } },
    { model: "ember-maths", parameters: { weight: 0.5 } },
  ],
  parameters: {},
};

test("the four samples are whole, real models", async () => {
  const models = await engine.listModels();
  expect(models.map(({ name }) => name).sort()).toEqual([
    "ember-base",
    "ember-drama",
    "ember-maths",
    "ember-tales",
  ]);
  for (const { state, parameters, origin } of models) {
    expect({ state, parameters, origin }).toEqual({
      state: "complete",
      parameters: 1_220_224,
      origin: "sample",
    });
  }
});

test("without WebGPU the engine says so and still opens, plans and inspects", async () => {
  const { gpu } = await engine.describe();
  expect(gpu).toMatchObject({ available: false, failure: { code: "no-webgpu" } });
  const [model] = await engine.listModels();
  const { tensors, files } = await engine.openModel(model?.id as string);
  expect(tensors.length).toBe(model?.tensorCount);
  expect(files.some(({ path }) => path === "tokenizer.json")).toBe(true);
  const config = await engine.readModelText({ model: model?.id as string, path: "config.json" });
  expect(JSON.parse(config).architectures).toEqual(["LlamaForCausalLM"]);
  const { base: _, ...baseless } = RECIPE;
  const plan = await engine.planMerge({ recipe: baseless, shardBytes: 5e9 });
  expect(plan.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(plan.runnable).toBe(true);
  const { statistics } = await engine.inspectTensor({
    model: model?.id as string,
    tensor: tensors[0]?.name as string,
    against: null,
  });
  expect(statistics.count).toBe(1024 * 128);
});

test("the base is the model that the others were trained from", async () => {
  const models = await engine.listModels();
  const base = await engine.guessBase(models.map(({ id }) => id));
  expect(models.find(({ id }) => id === base)?.name).toBe("ember-base");
});

test("a weight map is there before anything is measured", async () => {
  const { base: _, ...baseless } = RECIPE;
  const map = await engine.weightMap(baseless);
  expect(map.models).toEqual(["ember-tales", "ember-maths"]);
  expect(map.cells.every(({ shares }) => shares?.join() === "0.5,0.5")).toBe(true);
});

test("a merge without a GPU fails by name, and its job can be resumed later", async () => {
  const { base: _, ...baseless } = RECIPE;
  const card = await run({ kind: "merge", recipe: baseless, name: "mix", shardBytes: 5e9 });
  expect(card).toMatchObject({ state: "failed", failure: { code: "no-webgpu" }, resumable: true });
  await engine.controlJob({ job: card.id, do: "delete" });
  expect((await engine.listJobs()).map(({ kind }) => kind)).toEqual(["samples"]);
  expect((await engine.listModels()).length).toBe(4);
});

test("a merge does not go on with other models under its models' names", async () => {
  const { base: _, ...baseless } = RECIPE;
  const card = await run({ kind: "merge", recipe: baseless, name: "mix", shardBytes: 5e9 });
  const idOf = async (name: string) =>
    (await engine.listModels()).find((model) => model.name === name)?.id as string;
  const [tales, drama] = [await idOf("ember-tales"), await idOf("ember-drama")];
  const swap = async (one: string, other: string) => {
    await engine.renameModel({ model: tales, name: "aside" });
    await engine.renameModel({ model: drama, name: other });
    await engine.renameModel({ model: tales, name: one });
  };
  await swap("ember-drama", "ember-tales");
  await engine.controlJob({ job: card.id, do: "resume" });
  const ended = async () => (await engine.listJobs()).find(({ id }) => id === card.id) as JobCard;
  await expect.poll(async () => (await ended()).state).toBe("failed");
  expect((await ended()).failure?.code).toBe("changed");
  await swap("ember-tales", "ember-drama");
  await engine.controlJob({ job: card.id, do: "delete" });
});

test("a recipe that names no model of the library is refused before it is journalled", async () => {
  const recipe = { ...RECIPE, models: [{ model: "nobody", parameters: {} }] };
  await expect(
    engine.startJob({ kind: "merge", recipe, name: "mix", shardBytes: 5e9 }),
  ).rejects.toMatchObject({ code: "missing-file", details: { model: "nobody" } });
});

test("the next visit finds models, jobs and the GPU budget as they were", async () => {
  await engine.setGpuBudget(512 * 2 ** 20);
  await expect(engine.setGpuBudget(Number.NaN)).rejects.toMatchObject({ code: "usage" });
  const next = await open();
  expect(await next.listModels()).toEqual(await engine.listModels());
  expect(await next.listJobs()).toMatchObject([{ kind: "samples", state: "done" }]);
});

test("what happens in one tab is told in the other, once", async () => {
  const [one, other] = [await open(), await open()];
  const controller = new AbortController();
  const seen: string[] = [];
  const watching = [one, other].map((tab, i) =>
    tab.watch(undefined, {
      signal: controller.signal,
      onEvent: ({ type }) => void seen.push(`${i} ${type}`),
    }),
  );
  const [model] = await one.listModels();
  await one.renameModel({ model: model?.id as string, name: `${model?.name}` });
  await new Promise((resolve) => setTimeout(resolve, 50));
  controller.abort();
  await Promise.all(watching);
  expect(seen.sort()).toEqual(["0 models", "1 models"]);
});

test("a renamed model is found by its new name, a deleted one frees its bytes", async () => {
  const [model] = await engine.listModels();
  const id = model?.id as string;
  expect((await engine.renameModel({ model: id, name: "ember-tales" })).name).not.toBe(model?.name);
  await engine.deleteModel(id);
  expect((await engine.listModels()).length).toBe(3);
  await expect(engine.openModel(id)).rejects.toMatchObject({ code: "missing-file" });
});

test("storage is told even where the browser tells nothing", async () => {
  expect(await engine.storage()).toEqual({ usedBytes: 0, quotaBytes: null, persisted: false });
});
