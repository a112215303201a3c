import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { GpuProvider } from "../../gpu/device.ts";
import { BLOCK_ELEMENTS, TILE_SLOTS } from "../../gpu/tiles/tiling.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { findMethod, methods } from "../registry.ts";
import {
  type Asked,
  makeCountedFamily,
  makeFamily,
  mergeFamily,
  planFamily,
} from "../testFamily.ts";
import { thinned } from "../testLaws.ts";
import { groupUnits } from "./decide.ts";
import { measure } from "./measure.ts";
import { partOf } from "./rules.ts";

let gpuProvider: GpuProvider;
beforeAll(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterAll(async () => (await gpuProvider.get()).destroy());
afterEach(() => {
  vi.restoreAllMocks();
});

const CASES = [...methods.values()].map((method): [string, Asked] => {
  const parameters = thinned(method);
  return [method.id, { method, parameters, hasBase: method.base !== "none" }];
});
const modelsOf = ({ method }: Asked) => Math.min(3, method.models.max);

/** Counts what crosses the border to the GPU. */
function countDevice() {
  const counted = { uploaded: 0, readBack: 0, waits: 0 };
  const { writeBuffer } = GPUQueue.prototype;
  vi.spyOn(GPUQueue.prototype, "writeBuffer").mockImplementation(function (
    this: GPUQueue,
    buffer,
    offset,
    data,
    ...more
  ) {
    counted.uploaded += data.byteLength;
    return writeBuffer.call(this, buffer, offset, data as GPUAllowSharedBufferSource, ...more);
  });
  const { mapAsync } = GPUBuffer.prototype;
  vi.spyOn(GPUBuffer.prototype, "mapAsync").mockImplementation(function (
    this: GPUBuffer,
    mode,
    offset,
    size,
  ) {
    counted.waits++;
    counted.readBack += size ?? this.size;
    return mapAsync.call(this, mode, offset, size);
  });
  return counted;
}

/** Bytes of what the CPU derives of a plan's tensors: a float32 for each element. */
function derivedOnCpu({ method, outputs }: Plan): number {
  return outputs.reduce((sum, { resolved, elementCount }) => {
    const derivation = method.derive?.(resolved) ?? null;
    return derivation && "line" in derivation ? sum + 4 * derivation.models * elementCount : sum;
  }, 0);
}

test.each(CASES)("%s reads and uploads each tensor once", async (_, asked) => {
  const { read, family } = makeCountedFamily(modelsOf(asked));
  const plan = planFamily(asked, family);
  const inputs = plan.outputs.reduce(
    (sum, { base, models }) =>
      [...(base ? [base] : []), ...models].reduce((all, { byteLength }) => all + byteLength, sum),
    0,
  );
  const alone = groupUnits(plan).every((unit) => unit.length === 1);
  const inParts = plan.outputs.some((output) => partOf(plan, output) !== "tensor");
  const counted = countDevice();
  read.bytes = 0;
  await mergeFamily(plan, gpuProvider, { tileElements: BLOCK_ELEMENTS });
  expect([read.bytes, plan.card.passes]).toEqual(alone ? [inputs, 1] : [read.bytes, 2]);
  if (!alone || inParts) return;
  // Constants, layouts and the padding of small tensors come to little beside megabytes of weights; here
  // they are less than what the tiles' inputs are rounded up to.
  const tiles = plan.outputs.reduce((n, o) => n + Math.ceil(o.elementCount / BLOCK_ELEMENTS), 0);
  const uploads = inputs + derivedOnCpu(plan) + tiles * 2048;
  expect(counted.uploaded).toBeLessThanOrEqual(uploads);
});

test.each(CASES)("%s gives the same bits when its tiles do not stay", async (_, asked) => {
  const plan = planFamily(asked, makeFamily(modelsOf(asked), "BF16"), "bfloat16");
  const tileElements = BLOCK_ELEMENTS;
  const signal = new AbortController().signal;
  const captions = asked.hasBase ? ["agreement"] : [];
  const outcome = async (slots: number) => {
    const limits = { tileElements, slots };
    return [
      await mergeFamily(plan, gpuProvider, limits),
      await measure(plan, gpuProvider, { signal, captions, ...limits }),
    ];
  };
  expect(await outcome(TILE_SLOTS)).toEqual(await outcome(64));
});

test("a selection reads back little, and waits once for a tensor and once for each tile", async () => {
  const method = findMethod("ties");
  const asked = { method, parameters: { density: 0.3, weight: 0.5 }, hasBase: true };
  const plan = planFamily(asked, makeFamily(3, "BF16"), "bfloat16");
  const counted = countDevice();
  await mergeFamily(plan, gpuProvider);
  // Every tensor has one tile.
  expect(counted.waits).toBe(2 * plan.outputs.length);
  const result = plan.outputs.reduce((sum, { elementCount }) => sum + 2 * elementCount, 0);
  // What a search found takes 48 bytes, a tile's count of quads without numbers 16, and rounding 4.
  const beside = plan.outputs.length * (3 * 48 + 16 + 4);
  expect(counted.readBack).toBeLessThanOrEqual(result + beside);
});
