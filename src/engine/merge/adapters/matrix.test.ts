import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/random.ts";
import {
  type Matrix,
  multiply,
  orthonormalRows,
  rowOf,
  scaled,
  smallSvd,
  stacked,
  transposed,
  zeros,
} from "./matrix.ts";

function random(rows: number, columns: number, seed = 1): Matrix {
  const next = createRandom(seed);
  const matrix = zeros(rows, columns);
  for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = next() - 0.5;
  return matrix;
}

const apart = (a: Matrix, b: Matrix) =>
  a.values.reduce((most, value, i) => Math.max(most, Math.abs(value - b.values[i]!)), 0);

/** How far rows are from orthonormal; zero rows are let pass. */
function skew(matrix: Matrix): number {
  const gram = multiply(matrix, transposed(matrix));
  let most = 0;
  for (let i = 0; i < gram.rows; i++) {
    for (let j = 0; j < gram.rows; j++) {
      const value = rowOf(gram, i)[j]!;
      if (value !== 0) most = Math.max(most, Math.abs(value - (i === j ? 1 : 0)));
    }
  }
  return most;
}

const twice = stacked([random(3, 7), scaled(-2, random(3, 7))]);
const CASES: readonly (readonly [string, Matrix])[] = [
  ["wide", random(4, 9)],
  ["tall", random(9, 4)],
  ["square", random(6, 6)],
  ["of dependent rows", twice],
  ["of dependent columns", transposed(twice)],
  ["of tiny and large rows", stacked([random(2, 5), scaled(1e-9, random(2, 5, 2))])],
  ["zero", zeros(3, 5)],
  ["of one value", random(1, 1)],
];

describe.each(CASES)("a matrix that is %s", (_, matrix) => {
  // A few dozen operations a value, each off by 2^-53 of values below 1.
  const bound = 1e-14;

  test("is its coordinates times an orthonormal basis", () => {
    const { coordinates, basis } = orthonormalRows(matrix);
    expect(basis.rows).toBe(Math.min(matrix.rows, matrix.columns));
    expect(apart(multiply(coordinates, basis), matrix)).toBeLessThan(bound);
    expect(skew(basis)).toBeLessThan(bound);
  });

  test("is the sum of its singular triplets, in falling order", () => {
    const { values, left, right } = smallSvd(matrix);
    expect(values.length).toBe(Math.min(matrix.rows, matrix.columns));
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
    const weighted = { ...right, values: right.values.slice() };
    for (const [i, value] of values.entries()) {
      rowOf(weighted, i).set(rowOf(right, i).map((each) => value * each));
    }
    expect(apart(multiply(transposed(left), weighted), matrix)).toBeLessThan(bound);
    // Vectors of values that are zero but for rounding are no vectors of the matrix.
    const real = values.filter((value) => value > 1e-12 * values[0]!).length;
    for (const vectors of [left, right]) {
      const leading = {
        ...vectors,
        rows: real,
        values: vectors.values.slice(0, real * vectors.columns),
      };
      expect(skew(leading)).toBeLessThan(bound);
    }
  });
});

test("small singular values are as exact as large ones", () => {
  const { basis } = orthonormalRows(random(3, 3));
  const values = zeros(3, 3);
  for (const [i, value] of [1, 1e-6, 1e-12].entries()) values.values[4 * i] = value;
  const found = smallSvd(multiply(values, basis)).values;
  for (const [i, value] of [1, 1e-6, 1e-12].entries()) {
    expect(Math.abs(found[i]! / value - 1)).toBeLessThan(1e-14);
  }
});
