import { describe, expect, test } from "vitest";
import type { AttentionSpec } from "../description/spec.ts";
import { type KernelBench, largestError, randomValues } from "../kernels/kernelBench.ts";
import {
  ATTENTION_KERNELS,
  type AttentionKernel,
  attend,
  fitsQueries,
} from "../kernels/kernels.ts";
import { useKernelBench, withMutant } from "../kernels/testBench.ts";

const bench = await useKernelBench();

const SPEC: AttentionSpec = {
  heads: 6,
  kvHeads: 2,
  headDim: 10,
  window: null,
  scale: 3,
  softcap: null,
  rope: { theta: 100, dims: 6, pairs: 3, scaling: { kind: "none" } },
  rowStride: 103,
  query: { offset: 1, headStride: 10 },
  key: { offset: 61, headStride: 10 },
  value: { offset: 81, headStride: 10 },
};

/** Attention by its definition, in float64: all scores, then their softmax. */
function plainAttention(
  spec: AttentionSpec,
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  shape: { rows: number; start: number },
): { readonly out: readonly number[]; readonly lse: readonly number[] } {
  const { heads, kvHeads, headDim, window, scale, softcap: cap } = spec;
  const padded = 4 * Math.ceil(headDim / 4);
  const out: number[] = [];
  const lse: number[] = [];
  for (let t = 0; t < shape.rows; t++) {
    for (let h = 0; h < heads; h++) {
      const position = shape.start + t;
      const kvHead = Math.floor(h / (heads / kvHeads));
      const first = window === null ? 0 : Math.max(0, position - window + 1);
      const scores: number[] = [];
      for (let j = first; j <= position; j++) {
        let score = 0;
        for (let d = 0; d < headDim; d++) {
          score += q[(t * heads + h) * padded + d]! * k[(j * kvHeads + kvHead) * padded + d]!;
        }
        score *= scale;
        scores.push(cap === null ? score : cap * Math.tanh(score / cap));
      }
      const top = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
      lse.push(top + Math.log(total));
      for (let d = 0; d < headDim; d++) {
        const sum = scores.reduce((acc, score, i) => {
          const value = v[((first + i) * kvHeads + kvHead) * padded + d]!;
          return acc + (Math.exp(score - top) / total) * value;
        }, 0);
        out.push(sum);
      }
    }
  }
  return { out, lse };
}

/** What each kernel is tried on: the one for many queries takes 16 rows at a time, of heads up to 128. */
const SIZES: Readonly<Record<AttentionKernel, { readonly rows: number; readonly most: number }>> = {
  row: { rows: 3, most: 512 },
  lanes: { rows: 3, most: 512 },
  queries: { rows: 19, most: 128 },
};

/** Attends as the layers do, and compares with the definition. */
async function checkAttention(
  kernel: AttentionKernel,
  spec: AttentionSpec,
  on: KernelBench,
): Promise<void> {
  const { rows } = SIZES[kernel];
  const padded = 4 * Math.ceil(spec.headDim / 4);
  const start = 140;
  const q = randomValues(rows * spec.heads * padded, 5);
  const count = (start + rows) * spec.kvHeads * padded;
  const [k, v] = [randomValues(count, 6), randomValues(count, 7)];
  for (const values of [q, k, v]) {
    values.forEach((_, i) => {
      if (i % padded >= spec.headDim) values[i] = 0;
    });
  }
  const stride = spec.heads * spec.headDim + 2;
  const out = on.buffer(new Float32Array(rows * stride));
  const logSums = on.buffer(new Float32Array(rows * spec.heads));
  const shape = { rows, start };
  await attend(
    on.recorder,
    spec,
    {
      queries: on.buffer(q),
      keys: on.buffer(k),
      values: on.buffer(v),
      logSums,
      out: { buffer: out, stride, offset: 0 },
    },
    { ...shape, kernel },
  );
  const want = plainAttention(spec, q, k, v, shape);
  const width = spec.heads * spec.headDim;
  const got = await on.read(out, rows * stride);
  const dense = Array.from({ length: rows }, (_, t) => [
    ...got.slice(t * stride, t * stride + width),
  ]).flat();
  // Scores reach 3 · 300 / 3: rounded at 2^-24 of that, they move a weight by 2e-5 of itself.
  expect(largestError(dense, want.out)).toBeLessThanOrEqual(5e-5);
  const sums = await on.read(logSums, want.lse.length);
  expect(largestError(sums, want.lse)).toBeLessThanOrEqual(1e-4);
}

describe.each(ATTENTION_KERNELS)("attention by %s", (kernel) => {
  test.each([
    ["a head of 10", { headDim: 10 }, null],
    ["a head of 1", { headDim: 1 }, null],
    ["a head of 300, more quads than lanes", { headDim: 300 }, null],
    ["one key head for all", { kvHeads: 1, headDim: 64 }, null],
    ["a window across blocks of keys", {}, 70],
    ["a window of one", {}, 1],
    ["soft-capped scores", { softcap: 0.7 }, null],
  ] as const)("is the softmax's weighted mean with %s", async (_, change, window) => {
    const spec: AttentionSpec = { ...SPEC, ...change, window };
    if (spec.headDim > SIZES[kernel].most) return expect(fitsQueries(spec)).toBe(false);
    await checkAttention(kernel, spec, bench);
  });

  test("is seen to be wrong when what was summed does not fade as a higher score comes", async () => {
    const mutant = ["exp(highest - higher)", "1.0"] as const;
    const path = `nn/attention_${kernel}.wgsl`;
    const run = withMutant(path, mutant, (on) => checkAttention(kernel, SPEC, on));
    await expect(run).rejects.toThrow("to be less than or equal to");
  });
});
