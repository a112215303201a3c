import { afterAll, beforeAll, expect, test } from "vitest";
import type { OutputDType } from "../../contract/index.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import { GpuProvider } from "../../gpu/device.ts";
import { BLOCK_ELEMENTS } from "../../gpu/tiles/tiling.ts";
import { makeWeightMap } from "../map/weightMap.ts";
import { findMethod } from "../registry.ts";
import { checkpointOf } from "../testCheckpoints.ts";
import { mergeFamily, planFamily, readFamily, referenceFamily } from "../testFamily.ts";
import { measure } from "./measure.ts";

let gpuProvider: GpuProvider;
beforeAll(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterAll(async () => (await gpuProvider.get()).destroy());

/** Three blocks: in the first nothing changed by more than `size`, in the last `largest` did too. */
const COUNT = 3 * BLOCK_ELEMENTS;

/** A base of zeros, and two models that moved some elements of it by about `size`. */
function tinyFamily(dtype: OutputDType, size: number, largest = 0) {
  const values = (model: number) =>
    Float32Array.from({ length: COUNT }, (_, i) => {
      if (i === COUNT - 1) return largest * (model + 1);
      return i % 3 === 0 ? 0 : size * (model + 1) * (1 + (i % 7) / 8) * (i % 2 ? 1 : -1);
    });
  const make = (name: string, of: Float32Array<ArrayBuffer>) =>
    checkpointOf(name, { w: { shape: [3, BLOCK_ELEMENTS], dtype, values: of } });
  return {
    base: make("base", new Float32Array(COUNT)),
    models: [0, 1].map((model) => make(`tuned-${model}`, values(model))),
  };
}

const signal = new AbortController().signal;
const asked = (id: string, parameters = {}) => ({
  method: findMethod(id),
  parameters,
  hasBase: true,
});

// Squares of changes below 1e-19 vanish in float32. The last mixes tiny changes with an ordinary one.
test.each([
  ["F32", 1e-21, 0],
  ["BF16", 1e-21, 0],
  ["F32", 3e-19, 0],
  ["F32", 1e-30, 0],
  ["F32", 1e-36, 0],
  ["F32", 1e-21, 0.5],
] as const)(
  "%s changes near %f have the size that they count for",
  async (dtype, size, largest) => {
    const plan = planFamily(asked("varm"), tinyFamily(dtype, size, largest));
    const measured = await measure(plan, gpuProvider, { signal });
    const [tensor] = await readFamily(plan);
    const facts = measured.facts.get("delta")!.get("w")!;
    for (const [m, x] of tensor!.models.entries()) {
      const [, square, size1, count] = facts[m]!;
      expect(count).toBe(x.filter((value) => value !== 0).length);
      const exact = x.reduce((sum, value) => sum + value * value, 0);
      // Sixteen roundings of float32 within a block.
      expect(Math.abs(square - exact) <= 1e-6 * exact, `${square} for ${exact}`).toBe(true);
      const sizes = x.reduce((sum, value) => sum + Math.abs(value), 0);
      expect(Math.abs(size1 - sizes) <= 1e-6 * sizes).toBe(true);
    }
    const [cell] = makeWeightMap(plan, measured).cells;
    // The second model moved twice as far everywhere: four times the square.
    expect(Math.abs(cell!.shares![0]! - 0.2) <= 1e-6).toBe(true);
  },
);

test.each([
  ["all changes", { select_topk: 1 }],
  ["those that differ most", { select_topk: 0.5 }],
])("SCE weighs %s near 1e-21 as its reference does", async (_, parameters) => {
  const plan = planFamily(asked("sce", parameters), tinyFamily("F32", 1e-21));
  const [got, want] = [await mergeFamily(plan, gpuProvider), await referenceFamily(plan)];
  const values = toF64(got.get("w")!, "F32");
  const expected = want.get("w")!;
  expect(expected.filter((value) => value !== 0).length).toBeGreaterThan(COUNT / 4);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(values[i]! - value) <= 1e-6 * 4e-21, `${values[i]} for ${value}`).toBe(true);
  }
});

// In f16 the squares of changes below 1.7e-4 vanish, in bf16 those of changes below 1e-20.
test.each([
  ["F16", 1e-4],
  ["BF16", 1e-21],
] as const)("SCE in %s counts squares that vanish for nothing", async (dtype, size) => {
  const plan = planFamily(asked("sce"), tinyFamily(dtype, size, 0.5));
  const [got, want] = [await mergeFamily(plan, gpuProvider), await referenceFamily(plan)];
  const values = toF64(got.get("w")!, "F32");
  for (const [i, value] of want.get("w")!.entries()) {
    // One step of the arithmetic, 2^-8 at most, for the sum and the quotient each.
    const bound = 2 ** -7 * Math.max(4 * size, Math.abs(value));
    expect(Math.abs(values[i]! - value) <= bound, `${values[i]} for ${value}`).toBe(true);
  }
});
