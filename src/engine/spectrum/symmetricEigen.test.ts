import { expect, test } from "vitest";
import { uniform } from "../core/random.ts";
import { symmetricEigen } from "./symmetricEigen.ts";

/** Largest entry of |V·Vᵀ − 1| and of |A·vᵢ − λᵢ·vᵢ|. */
function errors(matrix: Float64Array, n: number) {
  const { values, vectors } = symmetricEigen(matrix, n);
  let [orthogonality, residual] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let [dot, image] = [0, 0];
      for (let k = 0; k < n; k++) {
        dot += vectors[i * n + k]! * vectors[j * n + k]!;
        image += matrix[j * n + k]! * vectors[i * n + k]!;
      }
      orthogonality = Math.max(orthogonality, Math.abs(dot - (i === j ? 1 : 0)));
      residual = Math.max(residual, Math.abs(image - values[i]! * vectors[i * n + j]!));
    }
  }
  return { values, orthogonality, residual };
}

function randomSymmetric(n: number, spread: (i: number) => number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = (2 * uniform(n, i * n + j) - 1) * spread(i) * spread(j);
      matrix[i * n + j] = value;
      matrix[j * n + i] = value;
    }
  }
  return matrix;
}

test.each([1, 2, 3, 8, 33, 120])("a random matrix of size %i", (n) => {
  const matrix = randomSymmetric(n, () => 1);
  const { values, orthogonality, residual } = errors(matrix, n);
  // A few roundings in each of about 2n rotations, of values up to ‖A‖ ≤ n.
  expect(orthogonality).toBeLessThanOrEqual(8 * n * Number.EPSILON);
  expect(residual).toBeLessThanOrEqual(8 * n * n * Number.EPSILON);
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
});

test("a graded matrix, from 1 to 1e-20", () => {
  const { orthogonality, residual } = errors(
    randomSymmetric(40, (i) => 10 ** (-i / 2)),
    40,
  );
  expect(orthogonality).toBeLessThanOrEqual(8 * 40 * Number.EPSILON);
  expect(residual).toBeLessThanOrEqual(8 * 40 * Number.EPSILON);
});

test("known eigenvalues: 2 − 2 cos(kπ/(n + 1)) of the second difference", () => {
  const n = 25;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 2;
    if (i > 0) matrix[i * n + i - 1] = -1;
    if (i + 1 < n) matrix[i * n + i + 1] = -1;
  }
  const { values } = symmetricEigen(matrix, n);
  for (let k = 1; k <= n; k++) {
    const want = 2 - 2 * Math.cos(((n + 1 - k) * Math.PI) / (n + 1));
    expect(Math.abs(values[k - 1]! - want)).toBeLessThanOrEqual(8 * n * Number.EPSILON);
  }
});

test.each([
  ["zeros", () => 0],
  ["one value everywhere", () => 1],
  ["the identity", (i: number, j: number) => (i === j ? 1 : 0)],
  ["one entry", (i: number, j: number) => (i === 3 && j === 3 ? 5 : 0)],
] as const)("%s", (_, entry: (i: number, j: number) => number) => {
  const n = 9;
  const matrix = Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n));
  const { orthogonality, residual } = errors(matrix, n);
  expect(orthogonality).toBeLessThanOrEqual(8 * n * Number.EPSILON);
  expect(residual).toBeLessThanOrEqual(8 * n * n * Number.EPSILON);
});
