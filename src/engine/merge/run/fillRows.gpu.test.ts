import { afterEach, beforeEach, expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../checkpoint/open.ts";
import { createMemoryTree } from "../../core/memoryTree.ts";
import { createRandom } from "../../core/random.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { GpuProvider } from "../../gpu/device.ts";
import { prepareMerge } from "../plan/prepare.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { checkpointOf, randomValues } from "../testCheckpoints.ts";
import { mergeInto } from "./merge.ts";

const EMBED = "model.embed_tokens.weight";
const WIDTH = 96;
const ROWS = 70;
/** Rows that were never initialised in the second model. */
const FIRST_BAD = 61;

let gpuProvider: GpuProvider;
beforeEach(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterEach(async () => (await gpuProvider.get()).destroy());

function makeModel(name: string, seed: number, badFrom = ROWS): Checkpoint {
  const values = randomValues(ROWS * WIDTH, createRandom(seed)).map((value, i) =>
    i >= badFrom * WIDTH ? Number.NaN : value,
  );
  return checkpointOf(name, { [EMBED]: { shape: [ROWS, WIDTH], values } });
}

async function valuesOf(checkpoint: Checkpoint): Promise<Float32Array> {
  const { dtype, source, start, byteLength } = checkpoint.tensors.get(EMBED)!;
  return toF32(await source.read(start, byteLength), dtype);
}

test.each([
  ["task_arithmetic", "base_model: a", "weight: 0.5"],
  ["linear", "", "weight: 1"],
  ["slerp", "base_model: a", ""],
  ["ties", "base_model: a", "weight: 1, density: 0.5"],
])("%s gives rows that one model lacks as the other has them", async (method, base, weights) => {
  const all = { a: makeModel("a", 1), b: makeModel("b", 2, FIRST_BAD) };
  const of = (name: string) => `{model: ${name}, parameters: {${weights}}}`;
  const models = method === "task_arithmetic" || method === "ties" ? [of("b")] : [of("a"), of("b")];
  const text = [
    `merge_method: ${method}`,
    base,
    `models: [${models.join(", ")}]`,
    method === "slerp" ? "parameters: {t: 0.5}" : "",
    "dtype: float32",
    "fill_nan_rows: true",
  ].join("\n");
  const plan = await prepareMerge(parseRecipe(text).recipe, {
    open: async (name) => all[name as "a" | "b"],
    shardBytes: 5e9,
  });
  const tree = createMemoryTree();
  await mergeInto(plan, tree, gpuProvider, { name: "c", signal: new AbortController().signal });

  const got = await valuesOf(await openCheckpoint(tree.files(), "c"));
  const [a, b] = [await valuesOf(all.a), await valuesOf(all.b)];
  const bad = FIRST_BAD * WIDTH;
  expect(got.every(Number.isFinite)).toBe(true);
  // The other rows are merged: they are not the base's.
  expect(got.slice(0, bad)).not.toEqual(a.slice(0, bad));
  expect(b.slice(0, bad).every(Number.isFinite)).toBe(true);
  if (method === "slerp") return;
  // A weighted mean of equal float32 numbers is off by a rounding of each product and of the sum.
  const worst = a.slice(bad).map((value, i) => Math.abs(got[bad + i]! - value) / Math.abs(value));
  expect(Math.max(...worst)).toBeLessThanOrEqual(2 ** -22);
});
