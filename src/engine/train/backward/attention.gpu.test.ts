import { describe, test } from "vitest";
import type { AttentionSpec } from "../../runtime/description/spec.ts";
import { randomValues } from "../../runtime/kernels/kernelBench.ts";
import { attend } from "../../runtime/kernels/kernels.ts";
import { useKernelBench } from "../../runtime/kernels/testBench.ts";
import { attendBackward, unrotate } from "./kernels.ts";
import { checkGradients, type Differentiable, type Inputs } from "./testDifferences.ts";

const bench = await useKernelBench();

const SPEC: AttentionSpec = {
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  window: null,
  scale: 1,
  softcap: null,
  rope: { theta: 100, dims: 4, pairs: 2, scaling: { kind: "none" } },
  rowStride: 53,
  query: { offset: 1, headStride: 6 },
  key: { offset: 25, headStride: 6 },
  value: { offset: 37, headStride: 6 },
};

/** Heads one after the other, each filled up to whole quads with zeros. */
const padHeads = (values: Float32Array, headDim: number) => {
  const quads = 4 * Math.ceil(headDim / 4);
  return Float32Array.from({ length: (values.length / headDim) * quads }, (_, i) => {
    const d = i % quads;
    return d < headDim ? (values[Math.floor(i / quads) * headDim + d] as number) : 0;
  });
};
const unpadHeads = (values: Float32Array, headDim: number) => {
  const quads = 4 * Math.ceil(headDim / 4);
  return values.filter((_, i) => i % quads < headDim);
};

test.each([["all"], ["queries and keys", "values"]] as const)(
  "heads are turned back: %s %s",
  async (...parts) => {
    const rows = 3;
    const { heads, kvHeads, headDim, rowStride } = SPEC;
    const angles = randomValues(rows * 2, 1).map((v) => 3 * v);
    const views = [SPEC.query, SPEC.key, SPEC.value];
    const operation: Differentiable = {
      inputs: { rows: randomValues(rows * rowStride, 2) },
      forward: ({ rows: given }) =>
        views.flatMap(({ offset, headStride }, part) =>
          Array.from({ length: rows * (part === 0 ? heads : kvHeads) * headDim }, (_, i) => {
            const count = part === 0 ? heads : kvHeads;
            const [t, h, d] = [
              Math.floor(i / (count * headDim)),
              Math.floor(i / headDim) % count,
              i % headDim,
            ];
            const first = t * rowStride + offset + h * headStride;
            const value = given![first + d]!;
            if (part === 2 || d >= 4) return value;
            const [cos, sin] = [
              Math.cos(angles[2 * t + (d % 2)]!),
              Math.sin(angles[2 * t + (d % 2)]!),
            ];
            return d < 2
              ? value * cos - given![first + d + 2]! * sin
              : value * cos + given![first + d - 2]! * sin;
          }),
        ),
      async backward(_, dy) {
        const out = bench.buffer(new Float32Array(rows * rowStride));
        const cuts = [heads, kvHeads, kvHeads].map((count) => rows * count * headDim);
        const [a, b] = [cuts[0]!, cuts[0]! + cuts[1]!];
        const heads3 = [dy.slice(0, a), dy.slice(a, b), dy.slice(b)];
        const [dQueries, dKeys, dValues] = heads3.map((part) =>
          bench.buffer(padHeads(part, headDim)),
        );
        // Another rope's table, of three angles, stands before this one's.
        const own = [...angles].flatMap((v) => [Math.cos(v), Math.sin(v)]);
        const table = new Float32Array([...randomValues(6, 3), ...own]);
        const buffers = {
          dQueries: dQueries!,
          dKeys: dKeys!,
          dValues: dValues!,
          angles: { buffer: bench.buffer(table), first: 3 },
          out,
        };
        for (const which of parts) await unrotate(bench.recorder, SPEC, buffers, { rows, which });
        return { rows: await bench.read(out, rows * rowStride) };
      },
    };
    await checkGradients(bench, operation, rows * (heads + 2 * kvHeads) * headDim);
  },
);

/** Attention by its definition: `[row, head, headDim]`. */
function plainAttention(
  spec: AttentionSpec,
  { q, k, v }: Inputs,
  shape: { rows: number; documents: readonly number[] },
): readonly number[] {
  const { heads, kvHeads, headDim, window, scale, softcap } = spec;
  return Array.from({ length: shape.rows * heads }, (_, slot) => {
    const [t, h] = [Math.floor(slot / heads), slot % heads];
    const kvHead = Math.floor(h / (heads / kvHeads));
    const first = Math.max(shape.documents[t]!, window === null ? 0 : t - window + 1);
    const positions = Array.from({ length: t + 1 - first }, (_, i) => first + i);
    const weights = positions.map((j) => {
      let score = 0;
      for (let d = 0; d < headDim; d++) {
        score += q![slot * headDim + d]! * k![(j * kvHeads + kvHead) * headDim + d]!;
      }
      score *= scale;
      return Math.exp(softcap === null ? score : softcap * Math.tanh(score / softcap));
    });
    const total = weights.reduce((a, b) => a + b, 0);
    return Array.from({ length: headDim }, (_, d) =>
      positions.reduce(
        (sum, j, i) => sum + (weights[i]! / total) * v![(j * kvHeads + kvHead) * headDim + d]!,
        0,
      ),
    );
  }).flat();
}

describe("attention", () => {
  test.each([
    ["one document", {}, null, [0]],
    ["three documents, one of a single token", {}, null, [0, 5, 6]],
    ["a window and documents", {}, 3, [0, 4]],
    ["a window of one", {}, 1, [0]],
    ["soft-capped scores", { softcap: 0.7 }, null, [0, 2]],
    ["one key head for all, a head of 8", { kvHeads: 1, headDim: 8 }, null, [0]],
    ["a head of 1", { headDim: 1 }, null, [0, 3]],
    ["a head of 130", { heads: 2, kvHeads: 1, headDim: 130 }, null, [0]],
  ] as const)("over %s: queries, keys and values", async (_, change, window, starts) => {
    const sized: AttentionSpec = { ...SPEC, ...change, window };
    const spec = { ...sized, scale: 1.3 / Math.sqrt(sized.headDim) };
    const { heads, kvHeads, headDim } = spec;
    const rows = headDim > 100 ? 5 : 11;
    const documents = Array.from({ length: rows }, (_, t) => starts.findLast((s) => s <= t) ?? 0);
    const shape = { rows, documents };
    const q = randomValues(rows * heads * headDim, 5);
    const [k, v] = [
      randomValues(rows * kvHeads * headDim, 6),
      randomValues(rows * kvHeads * headDim, 7),
    ];
    const operation: Differentiable = {
      inputs: { q, k, v },
      forward: (given) => plainAttention(spec, given, shape),
      async backward(_, dy) {
        const zeros = (count: number) => bench.buffer(new Float32Array(count));
        const width = heads * headDim;
        const padQ = padHeads(q, headDim);
        const [queries, keys, values] = [q, k, v].map((part) =>
          bench.buffer(padHeads(part, headDim)),
        );
        const given = {
          queries: queries!,
          keys: keys!,
          values: values!,
          documents: bench.buffer(Uint32Array.from(documents)),
        };
        const out = { buffer: zeros(rows * width), stride: width, offset: 0 };
        const logSums = zeros(rows * heads);
        await attend(
          bench.recorder,
          spec,
          { ...given, out, logSums },
          { rows, start: 0, kernel: "row" },
        );
        const padK = (padQ.length / heads) * kvHeads;
        const [dQueries, dKeys, dValues] = [zeros(padQ.length), zeros(padK), zeros(padK)];
        await attendBackward(
          bench.recorder,
          spec,
          {
            ...given,
            logSums,
            out,
            dOut: { ...out, buffer: bench.buffer(dy) },
            paddedOut: zeros(padQ.length),
            sums: zeros(2 * rows * heads),
            dQueries,
            dKeys,
            dValues,
          },
          rows,
        );
        return {
          q: unpadHeads(await bench.read(dQueries, padQ.length), headDim),
          k: unpadHeads(await bench.read(dKeys, padK), headDim),
          v: unpadHeads(await bench.read(dValues, padK), headDim),
        };
      },
    };
    await checkGradients(bench, operation, rows * heads * headDim);
  });
});
