import { expect, test } from "vitest";
import type { CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import type { DType } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";
import { copyTile, cutSpareTiles, spareTile } from "./copyTile.ts";

function tensor(dtype: DType, bytes: Uint8Array, shape: readonly number[]): CheckpointTensor {
  const elementCount = shape.reduce((product, axis) => product * axis, 1);
  const file = `${dtype}.safetensors`;
  const about = { name: "x", dtype, shape, elementCount, byteLength: bytes.byteLength, file };
  return { ...about, source: bytesInMemory(bytes), start: 0 };
}
const output = (more: Partial<OutputTensor>): OutputTensor => ({
  name: "x",
  shape: [4],
  elementCount: 4,
  dtype: "I64",
  action: "copy",
  copyFrom: null,
  base: null,
  models: [],
  present: [],
  resolved: { global: {}, models: [] },
  spare: null,
  unit: "x",
  ...more,
});
const ints = tensor("I64", new Uint8Array(BigInt64Array.of(0n, 1n, 2n, 300n).buffer), [4]);
const halves = (...values: number[]) =>
  tensor("F16", fromF32(Float32Array.from(values), "F16"), [4]);

test("integers and floats of equal value are one thing", async () => {
  const whole = { first: 0, count: 32 };
  const equal = output({ copyFrom: ints, models: [ints, halves(0, 1, 2, 300)] });
  expect([...(await copyTile(equal, whole))].slice(0, 9)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
  const other = output({ copyFrom: ints, models: [halves(0, 1, 2, 301)] });
  await expect(copyTile(other, whole)).rejects.toMatchObject({
    code: "not-mergeable",
    details: { tensor: "x", element: 3 },
  });
});

test("pieces of a copied tensor are compared where they lie", async () => {
  const other = output({ copyFrom: ints, models: [halves(9, 9, 2, 300)] });
  expect(await copyTile(other, { first: 16, count: 16 })).toHaveLength(16);
});

test("spare rows are cut behind the merged ones and rounded to the output's dtype", async () => {
  const values = Float32Array.of(0, 1, 2, 3.141592741, 4, 5);
  const spare = tensor("F32", fromF32(values, "F32"), [3, 2]);
  const merged = output({ action: "merge", dtype: "BF16", shape: [3, 2], elementCount: 2, spare });
  expect([...cutSpareTiles(merged, 0)]).toEqual([{ first: 2, count: 4 }]);
  expect([...cutSpareTiles(merged, 5)]).toEqual([{ first: 5, count: 1 }]);
  const bytes = await spareTile(merged, { first: 2, count: 4 });
  // 3.140625 is the nearest BF16 to π.
  expect([...toF32(bytes, "BF16")]).toEqual([2, 3.140625, 4, 5]);
});
