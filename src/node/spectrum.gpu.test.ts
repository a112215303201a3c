import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { uniform } from "../engine/core/random.ts";
import { fromF32, toF32 } from "../engine/core/tensor/convert.ts";
import { acquireGpu, type Gpu } from "../engine/gpu/device.ts";
import { ResourceScope } from "../engine/gpu/resourceScope.ts";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { Recorder } from "../engine/runtime/kernels/recorder.ts";
import { withMutant } from "../engine/runtime/kernels/testBench.ts";
import { type LeadingSvd, leadingSvd } from "../engine/spectrum/leadingSvd.ts";
import {
  makeMatrix,
  type SpectrumCase,
  sourceOf,
  tensorOf,
} from "../engine/spectrum/testMatrices.ts";
import { ThinAlgebra } from "../engine/spectrum/thinVectors.ts";

const gpu = await useGpu();
const { signal } = new AbortController();
const cases: readonly SpectrumCase[] = JSON.parse(
  readFileSync("goldens/spectrum.json", "utf8"),
).cases;
const find = (name: string) => cases.find((one) => one.name === name)!;

/** ‖A − U·Σ·Vᵀ‖²_F in float64. */
function residual(a: ArrayLike<number>, columns: number, { values, left, right }: LeadingSvd) {
  const rows = a.length / columns;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const row = Float64Array.from({ length: columns }, (_, j) => a[i * columns + j]!);
    for (const [r, value] of values.entries()) {
      const factor = value * left[r * rows + i]!;
      for (let j = 0; j < columns; j++) row[j]! -= factor * right[r * columns + j]!;
    }
    for (const entry of row) sum += entry * entry;
  }
  return sum;
}

/** Largest entry of |V·Vᵀ − 1|. */
function nonorthogonality(vectors: Float32Array, count: number): number {
  const length = vectors.length / count;
  let worst = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let dot = 0;
      for (let k = 0; k < length; k++) dot += vectors[i * length + k]! * vectors[j * length + k]!;
      worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)));
    }
  }
  return worst;
}

const sumSquares = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value * value, 0);

/** Energy that was lost, relative to what the best approximation of that rank keeps. */
async function lostEnergy(on: Gpu, one: SpectrumCase, count: number): Promise<number> {
  const { rows, columns, values, energy } = one;
  const a = makeMatrix(one);
  const svd = await leadingSvd(on, sourceOf([rows, columns], a), { count, seed: 7, signal });
  const best = sumSquares(values.slice(0, count));
  return (residual(a, columns, svd) - (energy - best)) / best;
}

describe("against LAPACK", () => {
  const each = cases.flatMap((one) =>
    [1, 8, 24, 64].map((count) => [one.name, count, one] as const),
  );

  test.each(each)("%s, %i values", async (_, count, one) => {
    const { rows, columns } = one;
    const a = makeMatrix(one);
    const svd = await leadingSvd(gpu, sourceOf([rows, columns], a), { count, seed: 7, signal });
    const best = sumSquares(one.values.slice(0, count));
    const lost = residual(a, columns, svd) - (one.energy - best);
    expect(lost / best).toBeLessThanOrEqual(1e-3);
    // Blocks of 2,048 squares in float32: 24 roundings at most on the way of each.
    expect(Math.abs(svd.energy / one.energy - 1)).toBeLessThanOrEqual(24 * 2 ** -24);
    // An orthonormal basis never keeps more; a rounding of float32 for each product with it.
    for (const [i, value] of svd.values.entries()) {
      expect(value).toBeLessThanOrEqual(one.values[i]! + 1e-6 * one.values[0]!);
    }
    expect(Math.abs(sumSquares(svd.values) / best - 1)).toBeLessThanOrEqual(1e-3);
    const kept = svd.values.length;
    // What float32 inner products tell from orthonormal, and the rounding of the result.
    expect(nonorthogonality(svd.left, kept)).toBeLessThanOrEqual(2e-5);
    expect(nonorthogonality(svd.right, kept)).toBeLessThanOrEqual(2e-5);
  });

  test("a rank beyond the matrix gives all of it", async () => {
    const one = find("small");
    const source = sourceOf([one.rows, one.columns], makeMatrix(one));
    const svd = await leadingSvd(gpu, source, { count: 1000, seed: 1, signal });
    expect(svd.values).toHaveLength(one.columns);
    expect(svd.left).toHaveLength(one.columns * one.rows);
    for (const [i, value] of svd.values.entries()) {
      expect(Math.abs(value - one.values[i]!)).toBeLessThanOrEqual(1e-6 * one.values[0]!);
    }
  });

  test("of a matrix of rank three come three values", async () => {
    const one = find("rank-three");
    const source = sourceOf([one.rows, one.columns], makeMatrix(one));
    const { values } = await leadingSvd(gpu, source, { count: 64, seed: 1, signal });
    expect(values).toHaveLength(3);
  });

  test.each([
    [
      "spectrum/difference.wgsl",
      ["let i = row * shape.columns", "let i = row * (shape.columns + 1u)"],
    ],
    ["spectrum/difference.wgsl", ["column + 3u),", "column + 2u),"]],
    ["nn/matmul_registers.wgsl", ["sum1 += x[at1 + quad]", "sum1 += x[at0 + quad]"]],
  ] as const)("a mutant of %s loses energy", async (path, change) => {
    await withMutant(path, change, async ({ gpu: wrong }) => {
      expect(await lostEnergy(wrong, find("flat"), 24)).not.toBeLessThanOrEqual(1e-3);
    });
  });
});

describe("a step of Chebyshev's recurrence", () => {
  /** Largest error of z = 4z − 2x − p over vectors whose length is no whole quad. */
  async function worstError(on: Gpu): Promise<number> {
    const scope = new ResourceScope();
    const algebra = new ThinAlgebra(on, scope.keep(new Recorder(on)), 5, scope);
    const [z, x, p] = [1, 2, 3].map((seed) => {
      const vectors = algebra.allocate([77, 30]);
      algebra.fillRandom(vectors, seed);
      return vectors;
    });
    const [zs, xs, ps] = [await algebra.read(z!), await algebra.read(x!), await algebra.read(p!)];
    await algebra.combine(z!, [4, 2, 1], x!, p!);
    const got = await algebra.read(z!);
    scope.release();
    return Math.max(...got.map((v, i) => Math.abs(v - (4 * zs[i]! - 2 * xs[i]! - ps[i]!))));
  }

  test("is exact to its roundings", async () => {
    expect(await worstError(gpu)).toBeLessThanOrEqual(3 * 8 * 2 ** -24);
  });

  test("of a mutant is not", async () => {
    await withMutant(
      "spectrum/three_terms.wgsl",
      ["- shape.c * p[i]", "+ shape.c * p[i]"],
      async (on) => {
        expect(await worstError(on.gpu)).toBeGreaterThan(1);
      },
    );
  });
});

describe("the change of a model", () => {
  const [rows, columns] = [70, 51];
  const values = (seed: number, scale: number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => scale * (2 * uniform(seed, i) - 1));

  test.each(["F32", "BF16", "F16"] as const)(
    "is taken from tensors stored as %s",
    async (dtype) => {
      const shape = [rows, columns];
      const base = values(1, 0.1);
      const model = base.map((value, i) => value + 0.02 * (2 * uniform(2, i) - 1));
      const [m, b] = [tensorOf(model, shape, dtype), tensorOf(base, shape, "BF16")];
      const stored = (x: Float32Array<ArrayBuffer>, as: "F32" | "BF16" | "F16") =>
        toF32(fromF32(x, as), as);
      const [mine, theirs] = [stored(model, dtype), stored(base, "BF16")];
      const change = Float64Array.from(mine, (value, i) => value - theirs[i]!);
      const source = { name: "weight", rows, columns, model: m, base: b };
      const svd = await leadingSvd(gpu, source, { count: columns, seed: 3, signal });
      // All singular values are there: what is missing is rounding.
      expect(residual(change, columns, svd)).toBeLessThanOrEqual(1e-10 * sumSquares(change));
    },
  );

  test("that is none has no singular values", async () => {
    const same = values(1, 0.1);
    const source = sourceOf([rows, columns], same, same);
    const svd = await leadingSvd(gpu, source, { count: 4, seed: 3, signal });
    expect(svd).toMatchObject({ energy: 0, steps: 0 });
    expect(svd.values).toHaveLength(0);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("that holds %d is refused", async (bad) => {
    const model = values(1, 0.1);
    model[50 * columns + 3] = bad;
    const source = sourceOf([rows, columns], model, values(2, 0.1));
    const before = gpu.pool.usedBytes;
    await expect(leadingSvd(gpu, source, { count: 4, seed: 3, signal })).rejects.toMatchObject({
      code: "nonfinite",
      details: { tensor: "weight", firstRow: 0, lastRow: 69 },
    });
    expect(gpu.pool.usedBytes).toBe(before);
  });
});

describe("a matrix larger than the budget", () => {
  const one = { ...find("flat"), rows: 9000, columns: 201, weights: [5, 3], noise: 0.1 };
  const source = sourceOf([one.rows, one.columns], makeMatrix(one));
  // The matrix takes 7.3 MB; its vectors and a strip 8.1 MB.
  const budgetBytes = 10e6;

  test("is read again in every pass, and gives the same", async () => {
    const small = await acquireGpu(navigator.gpu, { budgetBytes });
    const here = await leadingSvd(gpu, source, { count: 2, seed: 5, signal });
    expect(gpu.pool.peakBytes).toBeGreaterThan(budgetBytes);
    const there = await leadingSvd(small, source, { count: 2, seed: 5, signal });
    expect(small.pool.peakBytes).toBeLessThanOrEqual(budgetBytes);
    expect(small.pool.usedBytes).toBe(0);
    expect([...there.values]).toEqual([...here.values]);
    expect(there.left).toEqual(here.left);
    small.destroy();
  });

  test("is given up between two strips", async () => {
    const controller = new AbortController();
    const { model } = source;
    let reads = 0;
    const stopping = {
      ...model,
      source: {
        byteLength: model.byteLength,
        read: (start: number, length: number) => {
          if (++reads === 2) controller.abort();
          return model.source.read(start, length);
        },
      },
    };
    const call = leadingSvd(
      gpu,
      { ...source, model: stopping },
      { count: 2, seed: 5, signal: controller.signal },
    );
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(reads).toBeLessThanOrEqual(4);
    expect(gpu.pool.usedBytes).toBe(0);
  });
});

test("the same seed gives the same bits", async () => {
  const one = find("gentle");
  const source = sourceOf([one.rows, one.columns], makeMatrix(one));
  const [first, second] = [
    await leadingSvd(gpu, source, { count: 8, seed: 5, signal }),
    await leadingSvd(gpu, source, { count: 8, seed: 5, signal }),
  ];
  expect(second.left).toEqual(first.left);
  expect([...second.values]).toEqual([...first.values]);
});
