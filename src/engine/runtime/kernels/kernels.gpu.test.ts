import { describe, expect, test } from "vitest";
import type { AttentionSpec } from "../description/spec.ts";
import { largestError, randomValues } from "./kernelBench.ts";
import { activate, crossEntropy, normalise, rotate, softcap } from "./kernels.ts";
import { ACTIVATIONS } from "./testActivations.ts";
import { useKernelBench } from "./testBench.ts";

const bench = await useKernelBench();

describe.each([
  ["rms", "lanes"],
  ["rms", "alone"],
  ["layer", "lanes"],
  ["layer", "alone"],
] as const)("the %s norm by %s", (kind, kernel) => {
  test.each([1, 7, 64, 130])(
    "of %i values is the formula's, for every head of a row",
    async (width) => {
      const [rows, groups] = [3, 2];
      const stride = groups * width + 3;
      const x = randomValues(rows * stride, width);
      const weight = randomValues(width, 1);
      const bias = randomValues(width, 2);
      const before = randomValues(rows * stride, 3);
      const out = bench.buffer(before.slice());
      const at = { stride, offset: 1, groupStride: width };
      await normalise(
        bench.recorder,
        { kind, epsilon: 1e-3, weightOffset: 0 },
        { weight: bench.buffer(weight), bias: kind === "layer" ? bench.buffer(bias) : null },
        { buffer: bench.buffer(x), ...at },
        { buffer: out, ...at },
        { rows, width, groups, accumulate: true, kernel },
      );
      const want = Float64Array.from(before);
      for (let t = 0; t < rows; t++) {
        for (let g = 0; g < groups; g++) {
          const first = t * stride + 1 + g * width;
          const values = x.slice(first, first + width);
          const mean = kind === "layer" ? values.reduce((a, b) => a + b, 0) / width : 0;
          const square = values.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
          for (let c = 0; c < width; c++) {
            const scaled = ((values[c]! - mean) / Math.sqrt(square + 1e-3)) * weight[c]!;
            want[first + c]! += scaled + (kind === "layer" ? bias[c]! : 0);
          }
        }
      }
      // A layer norm of one value divides a cancelled difference by √ε: 30 times a rounding.
      expect(largestError(await bench.read(out, want.length), want)).toBeLessThanOrEqual(1e-5);
    },
  );
});

const SPEC: AttentionSpec = {
  heads: 6,
  kvHeads: 2,
  headDim: 10,
  window: null,
  scale: 1,
  softcap: null,
  rope: { theta: 100, dims: 6, pairs: 3, scaling: { kind: "none" } },
  rowStride: 103,
  query: { offset: 1, headStride: 10 },
  key: { offset: 61, headStride: 10 },
  value: { offset: 81, headStride: 10 },
};

test("pairs are turned by their row's angles, the rest is copied, and the cache gets its rows", async () => {
  const [rows, start, padded] = [3, 2, 12];
  const { heads, kvHeads, headDim } = SPEC;
  const qkv = randomValues(rows * SPEC.rowStride, 1);
  const angles = Float32Array.from({ length: rows * 3 }, (_, i) => i + 1);
  const table = Float32Array.from(angles, (angle) => angle);
  const pairs = new Float32Array([...table].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
  const source = bench.buffer(qkv);
  // Another rope's table stands before this one's.
  const tables = bench.buffer(Float32Array.from([...randomValues(2 * 5, 4), ...pairs]));
  const room = (count: number) => bench.buffer(new Float32Array(count));
  const queries = room(rows * heads * padded);
  const cacheSize = (start + rows) * kvHeads * padded;
  const [keys, values] = [room(cacheSize), room(cacheSize)];
  await rotate(
    bench.recorder,
    SPEC,
    { turned: source, plain: source, angles: { buffer: tables, first: 5 }, queries, keys, values },
    { rows, start },
  );
  const turned = (row: number, first: number) => {
    const head = [...qkv.slice(first, first + headDim)];
    for (let j = 0; j < 3; j++) {
      const [cos, sin] = [pairs[2 * (row * 3 + j)]!, pairs[2 * (row * 3 + j) + 1]!];
      const [a, b] = [qkv[first + j]!, qkv[first + j + 3]!];
      head[j] = a * cos - b * sin;
      head[j + 3] = b * cos + a * sin;
    }
    return [...head, 0, 0];
  };
  const per = (count: number, head: (row: number, h: number) => readonly number[]) =>
    Array.from({ length: rows }, (_, row) =>
      Array.from({ length: count }, (_, h) => head(row, h)).flat(),
    ).flat();
  const wantQueries = per(heads, (row, h) => turned(row, row * 103 + 1 + h * 10));
  const wantKeys = per(kvHeads, (row, h) => turned(row, row * 103 + 61 + h * 10));
  const wantValues = per(kvHeads, (row, h) => {
    const first = row * 103 + 81 + h * 10;
    return [...qkv.slice(first, first + headDim), 0, 0];
  });
  const empty = Array.from({ length: start * kvHeads * padded }, () => 0);
  const bound = 2 ** -22; // two products and their sum, of at most 1 each
  expect(
    largestError(await bench.read(queries, wantQueries.length), wantQueries),
  ).toBeLessThanOrEqual(bound);
  expect(
    largestError(await bench.read(keys, cacheSize), [...empty, ...wantKeys]),
  ).toBeLessThanOrEqual(bound);
  expect(await bench.read(values, cacheSize)).toEqual(new Float32Array([...empty, ...wantValues]));
});

test.each(Object.entries(ACTIVATIONS))(
  "%s is its formula, gated or not, up to ±1000",
  async (name, f) => {
    const count = 67;
    const values = randomValues(2 * 2 * count, 8).map((v, i) => (i % 5 === 0 ? 1000 * v : 6 * v));
    const x = { buffer: bench.buffer(values), stride: 2 * count };
    for (const gate of [0, null]) {
      const out = bench.buffer(new Float32Array(2 * count));
      const target = { buffer: out, stride: count, offset: 0 };
      const columns = { gate, up: count, count };
      await activate(bench.recorder, name as keyof typeof ACTIVATIONS, x, columns, target, 2);
      const want = Array.from({ length: 2 * count }, (_, i) => {
        const row = Math.floor(i / count) * 2 * count;
        const up = values[row + count + (i % count)]!;
        return gate === null ? f(up) : f(values[row + (i % count)]!) * up;
      });
      const got = await bench.read(out, want.length);
      // An error of the activation is multiplied by what is gated.
      const scale = (i: number) => {
        const up = Math.abs(values[Math.floor(i / count) * 2 * count + count + (i % count)]!);
        return Math.max(1, up, Math.abs(want[i]!));
      };
      const relative = want.map((value, i) => (got[i]! - value) / scale(i));
      // erf is good to 1.5e-7, times up to 6.
      expect(
        largestError(
          relative,
          relative.map(() => 0),
        ),
      ).toBeLessThanOrEqual(6e-6);
    }
  },
);

test("soft-capping keeps what is small and bounds what is large", async () => {
  const values = new Float32Array([0, 0.5, -3, 40, -1e6, 1e6, 7]);
  const buffer = bench.buffer(values);
  await softcap(bench.recorder, { buffer, stride: 7, offset: 0 }, 30, { rows: 1, columns: 6 });
  const want = [...values].map((v, i) => (i < 6 ? 30 * Math.tanh(v / 30) : v));
  expect(largestError(await bench.read(buffer, 7), want)).toBeLessThanOrEqual(3e-5);
});

test("cross-entropy is ln Σ exp minus the target's logit, even where logits are huge", async () => {
  const [rows, columns, stride] = [4, 131, 133];
  const logits = randomValues(rows * stride, 9).map((v, i) => v * (i < stride ? 1e4 : 10));
  const targets = [130, 0, 64, 65];
  const nats = bench.buffer(new Float32Array(rows + 1));
  await crossEntropy(
    bench.recorder,
    { buffer: bench.buffer(logits), stride },
    bench.buffer(Uint32Array.from([9, ...targets])),
    nats,
    { rows, columns, first: 1 },
  );
  const want = targets.map((target, row) => {
    const z = [...logits.slice(row * stride, row * stride + columns)];
    const top = Math.max(...z);
    return top + Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0)) - z[target]!;
  });
  const got = await bench.read(nats, rows + 1);
  const relative = want.map((value, i) => (got[i + 1]! - value) / Math.max(1, value));
  expect(
    largestError(
      relative,
      relative.map(() => 0),
    ),
  ).toBeLessThanOrEqual(1e-6);
  expect(got[0]).toBe(0);
});
