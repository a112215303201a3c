import { afterAll, beforeAll, expect, test } from "vitest";
import { toF64 } from "../core/tensor/convert.ts";
import { GpuProvider } from "../gpu/device.ts";
import { methods } from "./registry.ts";
import { makeFamily, mergeFamily, planFamily, referenceFamily } from "./testFamily.ts";
import { boundFor, expectNear, largestOf, thinned } from "./testLaws.ts";

let gpuProvider: GpuProvider;
beforeAll(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterAll(async () => (await gpuProvider.get()).destroy());

const MOST = 30;
const CASES = [...methods.values()]
  .filter(({ models }) => models.max >= MOST)
  .flatMap((method) => [10, MOST].map((count) => ({ id: method.id, count, method })));

// Loops over models are not written out, so shaders of many models compile as those of few.
test.each(CASES)("$id of $count models agrees with its reference", async ({ method, count }) => {
  const asked = { method, parameters: thinned(method), hasBase: method.base !== "none" };
  const plan = planFamily(asked, makeFamily(count, "F32"));
  const merged = await mergeFamily(plan, gpuProvider);
  const expected = await referenceFamily(plan);
  expect(expected.size).toBeGreaterThan(0);
  for (const [name, values] of expected) {
    const got = toF64(merged.get(name)!, "F32");
    expectNear(name, got, values, boundFor(largestOf(values), asked, count));
  }
});
