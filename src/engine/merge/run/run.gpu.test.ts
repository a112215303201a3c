import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Recipe } from "../../contract/index.ts";
import { type FileTreeWriter, readAll } from "../../core/bytes.ts";
import { createMemoryTree } from "../../core/memoryTree.ts";
import { createRandom } from "../../core/random.ts";
import { GpuProvider } from "../../gpu/device.ts";
import { BLOCK_ELEMENTS } from "../../gpu/tiles/tiling.ts";
import { makeWeightMap } from "../map/weightMap.ts";
import { planMerge } from "../plan/plan.ts";
import { findMethod } from "../registry.ts";
import { checkpointOf, randomValues } from "../testCheckpoints.ts";
import { measure } from "./measure.ts";
import { runMerge } from "./run.ts";

const COUNT = 9 * BLOCK_ELEMENTS + 5;
const random = createRandom(11);
const model = (name: string): Checkpoint =>
  checkpointOf(
    name,
    Object.fromEntries(
      ["a.weight", "b.weight", "c.weight"].map((tensor) => [
        tensor,
        { shape: [COUNT], values: randomValues(COUNT, random), dtype: "BF16" as const },
      ]),
    ),
  );
const MODELS = [model("base"), model("x"), model("y")] as const;
const RECIPE: Recipe = {
  method: "varm",
  base: "base",
  models: ["x", "y"].map((name) => ({ model: name, parameters: {} })),
  parameters: {},
};
const plan = planMerge({
  method: findMethod("varm"),
  recipe: RECIPE,
  checkpoints: new Map(MODELS.map((each) => [each.name, each])),
  shardBytes: 2 * COUNT * 2,
  budget: { tileBytes: 2 ** 24, slots: 3 },
});

let gpuProvider: GpuProvider;
beforeEach(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterEach(async () => (await gpuProvider.get()).destroy());

const options = () => ({
  signal: new AbortController().signal,
  sideFiles: async () => new Map(),
  tileElements: BLOCK_ELEMENTS,
});
const bytesOf = async (tree: ReturnType<typeof createMemoryTree>) =>
  Promise.all([...tree.files()].map(async ([path, file]) => [path, await readAll(file, 1e8)]));

async function mergeWhole() {
  const facts = await measure(plan, gpuProvider, options());
  const tree = createMemoryTree();
  await runMerge(plan, tree, gpuProvider, options());
  return { facts, files: await bytesOf(tree) };
}

describe("a merge over two shards", () => {
  test("goes on after a lost device and ends with the same bytes", async () => {
    const { facts, files } = await mergeWhole();
    let losses = 0;
    const loseEvery = (turns: number) => {
      let turn = 0;
      return async () => {
        if (++turn % turns !== 0) return;
        losses++;
        (await gpuProvider.get()).destroy();
      };
    };
    // A tensor has ten tiles: a measurement goes on tensor by tensor, a merge tile by tile.
    const again = await measure(plan, gpuProvider, { ...options(), progress: loseEvery(13) });
    expect(again).toEqual(facts);
    const tree = createMemoryTree();
    await runMerge(plan, tree, gpuProvider, { ...options(), progress: loseEvery(7) });
    expect(losses).toBeGreaterThanOrEqual(5);
    expect(await bytesOf(tree)).toEqual(files);
  });

  test.each([3, 100, 5_000, 60_000, 100_000])(
    "cut off after %i bytes and run again ends with the same bytes",
    async (bytes) => {
      const { files } = await mergeWhole();
      const tree = createMemoryTree();
      await expect(
        runMerge(plan, cutOffAfter(tree, bytes), gpuProvider, options()),
      ).rejects.toThrow("cut off");
      expect(tree.sealed).toBe(false);
      await runMerge(plan, tree, gpuProvider, options());
      expect(await bytesOf(tree)).toEqual(files);
    },
  );

  test("stops at a cancel, keeps what is written and leaves the tree open", async () => {
    const abort = new AbortController();
    const tree = createMemoryTree();
    const run = runMerge(plan, tree, gpuProvider, {
      ...options(),
      signal: abort.signal,
      progress: (doneBytes) => doneBytes > 20_000 && abort.abort(),
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(tree.sealed).toBe(false);
    const [file] = [...tree.files().values()];
    expect(file!.byteLength).toBeGreaterThan(20_000);
    expect(file!.byteLength).toBeLessThan(plan.shards.files[0]!.byteLength);
  });

  test("takes the tiles of two tensors of GPU memory and gives it all back", async () => {
    await mergeWhole();
    const { pool } = await gpuProvider.get();
    expect(pool.usedBytes).toBe(0);
    // Ten slots each of 2,048 elements: three bf16 inputs, one output twice, and small change.
    expect(pool.peakBytes).toBeLessThan(2 * 10 * (BLOCK_ELEMENTS * 5 * 2 + 1024));
  });
});

/** Rows longer than a tile, odd ones, short ones; and a vector. */
const SHAPES = {
  "a.weight": [2, 2 * BLOCK_ELEMENTS + 5],
  "b.weight": [73, 253],
  "c.weight": [500, 8],
  "d.weight": [3 * BLOCK_ELEMENTS],
};
const family = (name: string): Checkpoint =>
  checkpointOf(
    name,
    Object.fromEntries(
      Object.entries(SHAPES).map(([tensor, shape]) => {
        const values = randomValues(
          shape.reduce((a, b) => a * b, 1),
          random,
        );
        return [tensor, { shape, values, dtype: "BF16" as const }];
      }),
    ),
  );

describe.each([
  ["rows", "model_stock", { filter_wise: true }],
  ["columns", "nuslerp", { weight: 0.4, nuslerp_flatten: false, nuslerp_row_wise: true }],
])("a merge whose %s are decided each by itself", (_, method, parameters) => {
  const models = ["base", "x", "y"].map(family);
  const inParts = planMerge({
    method: findMethod(method),
    recipe: { ...RECIPE, method, parameters },
    checkpoints: new Map(models.map((each) => [each.name, each])),
    shardBytes: 5e9,
    budget: { tileBytes: 2 ** 24, slots: 3 },
  });
  const merge = async (tree: FileTreeWriter, more: { progress?(): void } = {}) =>
    runMerge(inParts, tree, gpuProvider, { ...options(), ...more });

  test("goes on after lost devices and cuts, and ends with the same bytes", async () => {
    const whole = createMemoryTree();
    await merge(whole);
    let turn = 0;
    const lost = createMemoryTree();
    const lose = async () => {
      if (++turn % 3 === 0) (await gpuProvider.get()).destroy();
    };
    await merge(lost, { progress: lose });
    expect(turn).toBeGreaterThan(4);
    expect(await bytesOf(lost)).toEqual(await bytesOf(whole));
    const cut = createMemoryTree();
    for (const bytes of [700, 9_000, 20_000]) {
      await expect(merge(cutOffAfter(cut, bytes))).rejects.toThrow("cut off");
    }
    await merge(cut);
    expect(await bytesOf(cut)).toEqual(await bytesOf(whole));
  });

  test("has shares in the map, with how far they spread", async () => {
    const asked = { ...options(), captions: ["agreement"] };
    const map = makeWeightMap(inParts, await measure(inParts, gpuProvider, asked));
    expect([map.measured, map.total]).toEqual([4, 4]);
    const cell = map.cells.find(({ tensor }) => tensor === "b.weight");
    expect(cell?.spread?.every((each) => each > 0)).toBe(true);
    expect(map.headline).not.toBe("");
  });
});

/** A writer whose disk fills up after so many bytes, of which all that arrived are kept. */
function cutOffAfter(tree: FileTreeWriter, bytes: number): FileTreeWriter {
  let left = bytes;
  return {
    seal: () => tree.seal(),
    async open(path, byteLength) {
      const sink = await tree.open(path, byteLength);
      return {
        get durableBytes() {
          return sink.durableBytes;
        },
        flush: () => sink.flush(),
        async append(chunk) {
          const fits = chunk.slice(0, left);
          left -= fits.byteLength;
          await sink.append(fits);
          if (fits.byteLength < chunk.byteLength) throw new Error("cut off");
        },
      };
    },
  };
}

test("a result that overflows is refused, not written", async () => {
  const values = Float32Array.of(60_000, 1, 2);
  const big = checkpointOf("big", { "a.weight": { shape: [3], values } });
  const overflow = planMerge({
    method: findMethod("linear"),
    recipe: {
      method: "linear",
      models: [{ model: "big", parameters: {} }],
      parameters: { weight: 2, normalize: false },
      outDtype: "float16",
    },
    checkpoints: new Map([["big", big]]),
    shardBytes: 1e9,
    budget: { tileBytes: 2 ** 24, slots: 3 },
  });
  const tree = createMemoryTree();
  const run = runMerge(overflow, tree, gpuProvider, options());
  await expect(run).rejects.toMatchObject({ code: "nonfinite", details: { tensor: "a.weight" } });
  expect(tree.sealed).toBe(false);
});
