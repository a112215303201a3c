import { describe, expect, test } from "vitest";
import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import type { NormSpec } from "../../runtime/description/spec.ts";
import { randomValues } from "../../runtime/kernels/kernelBench.ts";
import { multiply } from "../../runtime/kernels/multiply.ts";
import { ACTIVATIONS } from "../../runtime/kernels/testActivations.ts";
import { useKernelBench } from "../../runtime/kernels/testBench.ts";
import { activateBackward, addProducts, normaliseBackward, scaleByNormed } from "./kernels.ts";
import { scatterRows } from "./rowKernels.ts";
import { groupRows } from "./tables.ts";
import { checkGradients, type Differentiable, GRADIENT_BOUND } from "./testDifferences.ts";

const bench = await useKernelBench();

/** Rows of `columns` values, filled up to whole quads with zeros, and a quad before the first. */
function padded(values: Float32Array, columns: number) {
  const stride = 4 * Math.ceil(columns / 4);
  const rows = values.length / columns;
  const filled = new Float32Array(4 + rows * stride);
  for (let t = 0; t < rows; t++) {
    filled.set(values.subarray(t * columns, (t + 1) * columns), 4 + t * stride);
  }
  return { buffer: bench.buffer(filled), stride, offset: 4 };
}
const room = (rows: number, columns: number) => padded(new Float32Array(rows * columns), columns);

/** What lies in rows, without what fills them up. */
async function dense(
  rows: { buffer: GPUBuffer; stride: number; offset: number },
  count: number,
  columns: number,
) {
  const all = await bench.read(rows.buffer, rows.offset + count * rows.stride);
  return Float32Array.from({ length: count * columns }, (_, i) => {
    const t = Math.floor(i / columns);
    return all[rows.offset + t * rows.stride + (i % columns)] as number;
  });
}

describe.each(["out_in", "in_out"] as const)("a product with weights stored %s", (layout) => {
  test.each([
    [1, 1, 1],
    [5, 7, 3],
    [9, 4, 66],
    [3, 66, 5],
  ])("of %i rows, %i to %i: input, weight and bias", async (rows, inputs, outputs) => {
    const [x, w] = [randomValues(rows * inputs, 1), randomValues(inputs * outputs, 2)];
    const turned = layout === "in_out";
    const at = (o: number, k: number) => (turned ? k * outputs + o : o * inputs + k);
    const operation: Differentiable = {
      inputs: { x, w, bias: randomValues(outputs, 3) },
      forward: (given) =>
        Array.from({ length: rows * outputs }, (_, i) => {
          const [t, o] = [Math.floor(i / outputs), i % outputs];
          let sum = given.bias![o]!;
          for (let k = 0; k < inputs; k++) sum += given.x![t * inputs + k]! * given.w![at(o, k)]!;
          return sum;
        }),
      async backward(_, dy) {
        const [dyRows, xRows, dx] = [padded(dy, outputs), padded(x, inputs), room(rows, inputs)];
        const shape = turned ? [inputs, outputs] : [outputs, inputs];
        const [stored, columns] = shape as [number, number];
        const panels = [{ buffer: bench.buffer(w), first: 0, rows: stored }];
        await multiply(
          bench.recorder,
          dyRows,
          { panels, format: PLAIN_FORMATS.F32, rows: stored, columns },
          dx,
          {
            rows,
            layout: turned ? "out_in" : "in_out",
            bias: null,
            accumulate: false,
            kernel: "registers",
          },
        );
        const [dw, dBias] = [
          bench.buffer(new Float32Array(w.length)),
          bench.buffer(new Float32Array(outputs)),
        ];
        const [left, right] = turned ? [xRows, dyRows] : [dyRows, xRows];
        await addProducts(bench.recorder, left, right, dw, {
          rows,
          lefts: stored,
          rights: columns,
        });
        const ones = { buffer: bench.buffer(new Float32Array(4).fill(1)), stride: 0, offset: 0 };
        await addProducts(bench.recorder, ones, dyRows, dBias, { rows, lefts: 1, rights: outputs });
        return {
          x: await dense(dx, rows, inputs),
          w: await bench.read(dw, w.length),
          bias: await bench.read(dBias, outputs),
        };
      },
    };
    await checkGradients(bench, operation, rows * outputs);
  });
});

test("products are added, times a scale, to what is there", async () => {
  const before = randomValues(6, 4);
  const gradient = bench.buffer(before.slice());
  const [left, right] = [randomValues(4 * 2, 5), randomValues(4 * 3, 6)];
  const shape = { rows: 4, lefts: 2, rights: 3, scale: -2 };
  await addProducts(bench.recorder, padded(left, 2), padded(right, 3), gradient, shape);
  const got = await bench.read(gradient, 6);
  for (let i = 0; i < 6; i++) {
    let want = before[i]!;
    for (let t = 0; t < 4; t++)
      want -= 2 * left[2 * t + Math.floor(i / 3)]! * right[3 * t + (i % 3)]!;
    expect(Math.abs(got[i]! - want)).toBeLessThanOrEqual(GRADIENT_BOUND);
  }
});

describe.each([
  ["rms", "lanes"],
  ["rms", "alone"],
  ["layer", "lanes"],
  ["layer", "alone"],
] as const)("the %s norm by %s", (kind, kernel) => {
  test.each([2, 7, 66, 131])("of %i values: input and weight, for every head", async (width) => {
    const [rows, groups] = [3, 2];
    const spec: NormSpec = { kind, epsilon: 1e-3, weightOffset: 1 };
    const stride = groups * width + 3;
    const [x, weight] = [randomValues(rows * stride, 1), randomValues(width, 2)];
    const places = Array.from({ length: rows * groups }, (_, i) => {
      return Math.floor(i / groups) * stride + 1 + (i % groups) * width;
    });
    const operation: Differentiable = {
      inputs: { x, weight },
      forward: (given) =>
        places.flatMap((first) => {
          const values = [...given.x!.slice(first, first + width)];
          const mean = kind === "layer" ? values.reduce((a, b) => a + b, 0) / width : 0;
          const square = values.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
          return values.map(
            (v, c) => ((v - mean) / Math.sqrt(square + 1e-3)) * (given.weight![c]! + 1),
          );
        }),
      async backward(_, dense) {
        const dy = new Float32Array(rows * stride);
        for (const [i, first] of places.entries()) {
          dy.set(dense.subarray(i * width, (i + 1) * width), first);
        }
        const at = (buffer: GPUBuffer) => ({ buffer, stride, offset: 1, groupStride: width });
        const dx = bench.buffer(new Float32Array(x.length));
        const quads = 4 * Math.ceil(width / 4);
        const scaled = bench.buffer(new Float32Array(rows * groups * quads));
        const dWeight = bench.buffer(new Float32Array(width));
        const given = {
          x: at(bench.buffer(x)),
          weight: bench.buffer(weight),
          dy: at(bench.buffer(dy)),
        };
        const shape = { rows, width, groups, kernel };
        await normaliseBackward(
          bench.recorder,
          spec,
          { ...given, dx: at(dx) },
          { ...shape, accumulate: true },
        );
        const out = { buffer: scaled, stride: groups * quads, offset: 0, groupStride: quads };
        await scaleByNormed(bench.recorder, spec, { ...given, out }, shape);
        const ones = { buffer: bench.buffer(new Float32Array(4).fill(1)), stride: 0, offset: 0 };
        const columns = { rows: rows * groups, lefts: 1, rights: width };
        const sums = { buffer: scaled, stride: quads, offset: 0 };
        await addProducts(bench.recorder, ones, sums, dWeight, columns);
        return {
          x: await bench.read(dx, x.length),
          weight: await bench.read(dWeight, width),
        };
      },
    };
    await checkGradients(bench, operation, rows * groups * width);
  });
});

describe.each(Object.entries(ACTIVATIONS))("%s", (name, f) => {
  test.each([0, null])("with its gate at %s: gate and up", async (gate) => {
    const [rows, count] = [2, 67];
    const stride = 2 * count + 1;
    const x = randomValues(rows * stride, 8).map((v) => 3 * v);
    const operation: Differentiable = {
      inputs: { x },
      forward: (given) =>
        Array.from({ length: rows * count }, (_, i) => {
          const at = Math.floor(i / count) * stride + (i % count);
          const up = given.x![at + count]!;
          return gate === null ? f(up) : f(given.x![at]!) * up;
        }),
      async backward(_, dy) {
        const dx = bench.buffer(new Float32Array(x.length));
        await activateBackward(
          bench.recorder,
          name as keyof typeof ACTIVATIONS,
          {
            x: { buffer: bench.buffer(x), stride, offset: 0 },
            dy: { buffer: bench.buffer(dy), stride: count, offset: 0 },
            dx: { buffer: dx, stride, offset: 0 },
          },
          { gate, up: count, count },
          rows,
        );
        return { x: await bench.read(dx, x.length) };
      },
    };
    await checkGradients(bench, operation, rows * count);
  });

  test("has a finite slope up to ±1e20", async () => {
    const x = new Float32Array([-1e20, -1000, -90, 90, 1000, 1e20, 0, -0]);
    const dx = bench.buffer(new Float32Array(8));
    await activateBackward(
      bench.recorder,
      name as keyof typeof ACTIVATIONS,
      {
        x: { buffer: bench.buffer(x), stride: 8, offset: 0 },
        dy: { buffer: bench.buffer(new Float32Array(8).fill(1)), stride: 8, offset: 0 },
        dx: { buffer: dx, stride: 8, offset: 0 },
      },
      { gate: null, up: 0, count: 8 },
      1,
    );
    const at0 = name === "relu" ? 0 : 0.5;
    expect([...(await bench.read(dx, 8))]).toEqual(
      [0, 0, 0, 1, 1, 1, at0, at0].map((v) => expect.closeTo(v, 6)),
    );
  });
});

test("rows that were gathered give their gradients back, those of one key together", async () => {
  const [vocab, columns, scale] = [6, 5, 3];
  const ids = [4, 0, 4, 4, 2, 0, 5];
  const operation: Differentiable = {
    inputs: { table: randomValues(vocab * columns, 1) },
    forward: ({ table }) =>
      ids.flatMap((id) =>
        Array.from({ length: columns }, (_, c) => scale * table![id * columns + c]!),
      ),
    async backward(_, dy) {
      const { groups, lists } = groupRows(ids);
      const x = { buffer: bench.buffer(dy), stride: columns, offset: 0 };
      const out = bench.buffer(new Float32Array(vocab * columns));
      const lying = { buffer: bench.buffer(lists), groups };
      const upright = { buffer: out, keyStride: columns, columnStride: 1 };
      await scatterRows(bench.recorder, x, lying, upright, { columns, scale });
      return { table: await bench.read(out, vocab * columns) };
    },
  };
  await checkGradients(bench, operation, ids.length * columns);
});
