import { expect, test } from "vitest";
import { streamLayers } from "./layerStream.ts";

/** Layers that are only counted: the stream never looks inside. */
function countedLayers(failing: (index: number, live: number) => boolean = () => false) {
  const state = { live: 0, most: 0, order: [] as string[] };
  const load = async (index: number) => {
    state.order.push(`load ${index}`);
    await Promise.resolve();
    if (failing(index, state.live)) throw new Error(`no room for ${index}`);
    state.live++;
    state.most = Math.max(state.most, state.live);
    return { release: () => void state.live-- };
  };
  const use = async (_: unknown, index: number) => {
    await new Promise((resolve) => setTimeout(resolve));
    state.order.push(`use ${index}`);
  };
  return { state, load, use };
}

test("the next layer is loaded while one is used, never more than two are there, all go", async () => {
  const { state, load, use } = countedLayers();
  await streamLayers(4, { load, ahead: true }, use);
  expect(state.order).toEqual([
    "load 0",
    "load 1",
    "use 0",
    "load 2",
    "use 1",
    "load 3",
    "use 2",
    "use 3",
  ]);
  expect(state).toMatchObject({ live: 0, most: 2 });
});

test("without room for two, one at a time is loaded", async () => {
  const { state, load, use } = countedLayers();
  await streamLayers(3, { load, ahead: false }, use);
  expect(state).toMatchObject({ live: 0, most: 1 });
});

test("a layer that could not be loaded ahead is loaded when its turn comes", async () => {
  const { state, load, use } = countedLayers((_, live) => live > 0);
  await streamLayers(3, { load, ahead: true }, use);
  expect(state.order.filter((step) => step.startsWith("use"))).toHaveLength(3);
  expect(state).toMatchObject({ live: 0, most: 1 });
});

test("what fails comes out, and nothing stays loaded", async () => {
  const broken = countedLayers((index) => index === 2);
  const running = streamLayers(4, { load: broken.load, ahead: true }, broken.use);
  await expect(running).rejects.toThrow("no room for 2");
  expect(broken.state.live).toBe(0);

  const { state, load } = countedLayers();
  const stop = async () => {
    throw new Error("cancelled");
  };
  await expect(streamLayers(4, { load, ahead: true }, stop)).rejects.toThrow("cancelled");
  expect(state.live).toBe(0);
});
