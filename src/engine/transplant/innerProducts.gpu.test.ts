import { expect, test } from "vitest";
import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import type { OutputDType } from "../contract/index.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { createRandom } from "../core/random.ts";
import { fromF32, toF32 } from "../core/tensor/convert.ts";
import { ResourceScope } from "../gpu/resourceScope.ts";
import { useGpu } from "../gpu/testGpu.ts";
import { Recorder } from "../runtime/kernels/recorder.ts";
import { InnerProducts } from "./innerProducts.ts";
import { dot, PickedRows } from "./pickedRows.ts";

const gpu = await useGpu();
const random = createRandom(5);
const vector = (length: number) => Float32Array.from({ length }, () => random() - 0.5);

/** Every other row of a matrix, and their values as stored. */
function pointsOf(count: number, width: number, dtype: OutputDType) {
  const bytes = fromF32(vector(2 * count * width), dtype);
  const tensor: CheckpointTensor = {
    name: "points",
    dtype,
    shape: [2 * count, width],
    elementCount: 2 * count * width,
    byteLength: bytes.byteLength,
    file: "",
    source: bytesInMemory(bytes),
    start: 0,
  };
  const values = toF32(bytes, dtype);
  const rows = Array.from({ length: count }, (_, i) =>
    values.subarray(2 * i * width, (2 * i + 1) * width),
  );
  return {
    points: new PickedRows(
      tensor,
      Int32Array.from(rows, (_, i) => 2 * i),
    ),
    rows,
  };
}

const COUNT = 300;
/** Float32 products and sums of numbers below a half. */
const boundFor = (width: number) => width * width * 2 ** -26;

for (const [dtype, width] of [
  ["F32", 20],
  ["BF16", 33],
  ["F16", 64],
  ["F32", 7],
] as const) {
  test.each([
    ["that stay on the GPU", COUNT],
    ["that are uploaded strip by strip", 64],
  ])(`the largest product over ${dtype} points of ${width} values %s`, async (_, strip) => {
    const { points, rows } = pointsOf(COUNT, width, dtype);
    const scope = new ResourceScope();
    const recorder = scope.keep(new Recorder(gpu));
    const stays = strip === COUNT;
    const options = { most: 8, places: 3, scope };
    const search = new InnerProducts(
      gpu,
      recorder,
      points,
      stays ? options : { ...options, stripRows: strip, stay: false },
    );
    const targets = Array.from({ length: 5 }, () => vector(width));
    const taken: number[][] = targets.map(() => []);
    for (let step = 0; step < 3; step++) {
      const found = await search.largest(targets, taken);
      for (const [i, place] of found.entries()) {
        const sizes = rows.map((row, at) =>
          taken[i]!.includes(at) ? -1 : Math.abs(dot(row, targets[i]!)),
        );
        expect(place).not.toBeNull();
        expect(taken[i]).not.toContain(place);
        expect(Math.max(...sizes) - sizes[place!]!).toBeLessThanOrEqual(2 * boundFor(width));
        taken[i]!.push(place!);
      }
    }
    const all = await search.all(targets);
    for (const [i, products] of all.entries()) {
      for (const [at, row] of rows.entries()) {
        expect(Math.abs(products[at]! - dot(row, targets[i]!))).toBeLessThanOrEqual(
          boundFor(width),
        );
      }
    }
    scope.release();
  });
}

test("where every point is taken there is none", async () => {
  const { points } = pointsOf(2, 8, "F32");
  const scope = new ResourceScope();
  const search = new InnerProducts(gpu, scope.keep(new Recorder(gpu)), points, {
    most: 2,
    places: 2,
    scope,
  });
  const found = await search.largest(
    [vector(8), vector(8)],
    [
      [0, 1],
      [1, 0],
    ],
  );
  expect(found).toEqual([null, null]);
  scope.release();
});
