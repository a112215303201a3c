import { expect, test } from "vitest";
import type { TrainedFactors } from "./adapterFiles.ts";
import { addDelta } from "./targetFiles.ts";

/** Factors of rank 2 beside a matrix of 2 outputs and 3 inputs; all numbers are exact. */
function factors(layout: "out_in" | "in_out"): TrainedFactors {
  const parameter = { name: "", count: 0, value: null as never, gradient: null as never };
  return {
    adapter: {
      module: "",
      tensor: "",
      layout,
      scale: 0.5,
      a: { ...parameter, shape: [2, 3] },
      b: { ...parameter, shape: [2, 2] },
    },
    tensor: "w",
    a: Float32Array.of(1, 2, 3, 4, 5, 6),
    b: Float32Array.of(1, 10, 100, 0),
  };
}

/** 0.5 · B · A, row after row. */
const DELTA = [20.5, 26, 31.5, 50, 100, 150];

test("what the factors make is added where the matrix lies as they do", () => {
  const values = Float64Array.of(1, 1, 1, 1, 1, 1);
  addDelta(values, factors("out_in"), 0, 3);
  expect([...values]).toEqual(DELTA.map((value) => 1 + value));
});

test("and transposed where it lies the other way, a tile from any row on", () => {
  const values = new Float64Array(4); // rows 1 and 2 of [3, 2]
  addDelta(values, factors("in_out"), 1, 2);
  expect([...values]).toEqual([DELTA[1], DELTA[4], DELTA[2], DELTA[5]]);
});
