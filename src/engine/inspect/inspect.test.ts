import fc from "fast-check";
import { expect, test } from "vitest";
import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import type { DType } from "../contract/index.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { inspectTensor } from "./inspect.ts";
import { StatisticsGatherer } from "./statistics.ts";

function tensorOf(
  values: Float64Array | Float32Array | BigInt64Array,
  dtype: DType,
  shape: readonly number[] = [values.length],
): CheckpointTensor {
  const bytes = new Uint8Array(values.buffer);
  return {
    name: "w",
    dtype,
    shape,
    byteLength: bytes.byteLength,
    file: "model.safetensors",
    elementCount: values.length,
    source: bytesInMemory(bytes),
    start: 0,
  };
}

test("a tensor with known moments gives them", async () => {
  const tensor = tensorOf(Float32Array.of(-2, -1, 0, 1, 1, 2, 2, 5), "F32");
  const { statistics } = await inspectTensor(tensor, null);
  expect(statistics).toEqual({
    count: 8,
    mean: 1,
    std: 2,
    min: -2,
    max: 5,
    absMax: 5,
    l1: 14,
    l2: Math.sqrt(40),
    zeros: 1,
    nan: 0,
    inf: 0,
  });
});

test("NaN and infinities are counted and left out of everything else", async () => {
  const values = Float32Array.of(
    Number.NaN,
    3,
    Number.NEGATIVE_INFINITY,
    1,
    Number.POSITIVE_INFINITY,
  );
  const { statistics, histogram } = await inspectTensor(tensorOf(values, "F32"), null);
  expect(statistics).toMatchObject({ count: 5, mean: 2, std: 1, l1: 4, nan: 1, inf: 2 });
  expect(histogram?.counts.reduce((a, b) => a + b)).toBe(2);
});

test("a tensor without a finite value has null moments and no histogram", async () => {
  const tensor = tensorOf(Float32Array.of(Number.NaN), "F32");
  const { statistics, histogram } = await inspectTensor(tensor, null);
  expect(statistics).toMatchObject({
    count: 1,
    mean: null,
    std: null,
    min: null,
    l2: null,
    nan: 1,
  });
  expect(histogram).toBeNull();
});

test("an empty tensor has null moments", async () => {
  const { statistics } = await inspectTensor(tensorOf(new Float32Array(0), "F32", [0, 4]), null);
  expect(statistics).toMatchObject({ count: 0, mean: null, zeros: 0 });
});

test("a spread of one in ten thousand million is not lost to cancellation", () => {
  const gatherer = new StatisticsGatherer();
  const values = Float64Array.from({ length: 100_000 }, (_, i) => 1e10 + (i % 2));
  gatherer.add(values.subarray(0, 33_333));
  gatherer.add(values.subarray(33_333));
  // Each term and the two chunk means carry about 1 ulp of 1e10, 1.9e-6; E[x²] - E[x]² would say 0.
  expect(Math.abs((gatherer.result().std as number) - 0.5)).toBeLessThanOrEqual(4e-6);
});

test("where a tensor is cut does not matter beyond the last bits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 }),
      fc.nat(59),
      (numbers, at) => {
        const whole = new StatisticsGatherer();
        whole.add(Float64Array.from(numbers));
        const cut = new StatisticsGatherer();
        cut.add(Float64Array.from(numbers.slice(0, at)));
        cut.add(Float64Array.from(numbers.slice(at)));
        const [a, b] = [whole.result(), cut.result()];
        // The sums are compensated; the deviations lose at most a few ulp of the largest square.
        const bound = 1e-12 * ((a.absMax as number) ** 2 + 1);
        return (
          a.min === b.min &&
          Math.abs((a.mean as number) - (b.mean as number)) <= bound &&
          Math.abs((a.std as number) ** 2 - (b.std as number) ** 2) <= bound
        );
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});

test("a difference has its norm, its angle, its flips and its largest element", async () => {
  const inspection = await inspectTensor(
    tensorOf(Float32Array.of(1, -1, 0, 4), "F32"),
    tensorOf(Float64Array.of(1, 1, 1, 2), "F64"),
  );
  expect(inspection.against).toEqual({
    deltaL2: 3,
    relative: 3 / Math.sqrt(7),
    cosine: 8 / (Math.sqrt(18) * Math.sqrt(7)),
    signFlips: 1,
    maxAbsDelta: 2,
  });
  expect(inspection.histogram).toMatchObject({ from: -2, to: 2 });
});

test("against a tensor of zeros there is no relative change and no angle", async () => {
  const zeros = tensorOf(new Float32Array(3), "F32");
  const { against } = await inspectTensor(tensorOf(Float32Array.of(1, 2, 2), "F32"), zeros);
  expect(against).toMatchObject({ deltaL2: 3, relative: null, cosine: null });
});

test("tensors of different shapes are a mismatch", async () => {
  const one = tensorOf(new Float32Array(6), "F32", [2, 3]);
  const other = tensorOf(new Float32Array(6), "F32", [3, 2]);
  await expect(inspectTensor(one, other)).rejects.toMatchObject({ code: "mismatch" });
});

test("a constant tensor falls into one bin", async () => {
  const { histogram } = await inspectTensor(tensorOf(BigInt64Array.of(7n, 7n), "I64"), null);
  expect(histogram).toMatchObject({ from: 7, to: 7 });
  expect(histogram?.counts[0]).toBe(2);
});

test("a tensor longer than a chunk is read to its last element", async () => {
  const values = new Float32Array(2 ** 20 + 3).fill(1);
  values[values.length - 1] = -9;
  const { statistics, histogram } = await inspectTensor(tensorOf(values, "F32"), null);
  expect(statistics).toMatchObject({ count: values.length, min: -9, l1: values.length + 8 });
  expect(histogram?.counts[0]).toBe(1);
});

test("an aborted inspection stops", async () => {
  const tensor = tensorOf(new Float32Array(4), "F32");
  await expect(inspectTensor(tensor, null, AbortSignal.abort())).rejects.toThrow(/abort/i);
});
