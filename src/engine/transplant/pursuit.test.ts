import { expect, test } from "vitest";
import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { createRandom } from "../core/random.ts";
import { fromF32 } from "../core/tensor/convert.ts";
import { interpolate, squaredNorms } from "./nearest.ts";
import { dot, PickedRows } from "./pickedRows.ts";
import { pursue, type Search } from "./pursuit.ts";

const random = createRandom(11);
const vector = (length: number) => Float32Array.from({ length }, () => random() - 0.5);

function pointsOf(rows: readonly Float32Array[]): PickedRows {
  const width = rows[0]!.length;
  const values = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row, i * width);
  const tensor: CheckpointTensor = {
    name: "points",
    dtype: "F32",
    shape: [rows.length, width],
    elementCount: values.length,
    byteLength: values.byteLength,
    file: "",
    source: bytesInMemory(fromF32(values, "F32")),
    start: 0,
  };
  return new PickedRows(tensor, Int32Array.from(rows.keys()));
}

/** The search by definition, in float64. */
const searchIn =
  (rows: readonly Float32Array[]): Search =>
  async (residuals, taken) =>
    residuals.map((residual, i) => {
      let best: number | null = null;
      let most = -1;
      for (const [place, row] of rows.entries()) {
        const size = Math.abs(dot(residual, row));
        if (size > most && !taken[i]!.includes(place)) [best, most] = [place, size];
      }
      return best;
    });

const sum = (
  rows: readonly Float32Array[],
  places: readonly number[],
  weights: readonly number[],
) => {
  const total = new Float64Array(rows[0]!.length);
  for (const [i, place] of places.entries()) {
    for (let at = 0; at < total.length; at++) total[at]! += weights[i]! * rows[place]![at]!;
  }
  return total;
};
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.sqrt(Array.from(a).reduce((total, value, i) => total + (value - b[i]!) ** 2, 0));

test("what is left of a target is orthogonal to every point that was chosen", async () => {
  const rows = Array.from({ length: 40 }, () => vector(24));
  const targets = Array.from({ length: 6 }, () => vector(24));
  const found = await pursue(targets, pointsOf(rows), 7, searchIn(rows));
  for (const [i, { places, weights }] of found.entries()) {
    expect(places.length).toBe(7);
    expect(new Set(places).size).toBe(7);
    const left = sum(rows, places, weights).map((value, at) => targets[i]![at]! - value);
    for (const place of places) {
      // The normal equations in float64, of numbers below one.
      expect(Math.abs(dot(left, rows[place]!))).toBeLessThan(1e-12);
    }
  }
});

test("a sum of orthogonal points is found again, and then it ends", async () => {
  const rows = Array.from({ length: 8 }, (_, i) =>
    Float32Array.from({ length: 8 }, (__, at) => +(at === i) * (i + 1)),
  );
  const target = Float32Array.from([0, 6, 0, 0, -2.5, 0, 0, 0.5]);
  const [found] = await pursue([target], pointsOf(rows), 8, searchIn(rows));
  expect(found!.places).toEqual([4, 1, 7]);
  expect(found!.weights).toEqual([-0.5, 3, 0.0625]);
});

test("points that depend on each other, a target of zeros and too few points end it", async () => {
  const row = vector(5);
  const rows = [row, row.map((value) => 2 * value), vector(5)];
  const [twice, nothing] = await pursue(
    [vector(5), new Float32Array(5)],
    pointsOf(rows),
    3,
    searchIn(rows),
  );
  expect(twice!.places.length).toBeLessThan(3);
  expect(nothing).toEqual({ places: [], weights: [] });
  const [all] = await pursue([vector(5)], pointsOf([vector(5)]), 4, searchIn([vector(5)]));
  expect(all!.places).toEqual([0]);
});

test("nearest points are weighted by the inverse of their distance, or by cosines", async () => {
  const rows = Array.from({ length: 60 }, () => vector(9));
  const points = pointsOf(rows);
  const targets = [vector(9), vector(9)];
  const products = targets.map((target) => Float32Array.from(rows, (row) => dot(target, row)));
  const squares = await squaredNorms(points);
  for (const cosine of [false, true]) {
    const found = await interpolate(targets, points, squares, { k: 5, cosine, products });
    for (const [i, { places, weights }] of found.entries()) {
      const target = targets[i]!;
      const angle = (row: Float32Array) =>
        dot(target, row) / Math.sqrt(dot(target, target) * dot(row, row));
      const closeness = (row: Float32Array) => (cosine ? angle(row) : -distance(target, row));
      const order = [...rows.keys()].sort((a, b) => closeness(rows[b]!) - closeness(rows[a]!));
      expect(places).toEqual(order.slice(0, 5));
      const raw = places.map((place) =>
        cosine ? angle(rows[place]!) : 1 / distance(target, rows[place]!),
      );
      const total = raw.reduce((all, each) => all + each, 0);
      for (const [at, weight] of weights.entries())
        expect(weight).toBeCloseTo(raw[at]! / total, 12);
    }
  }
});
