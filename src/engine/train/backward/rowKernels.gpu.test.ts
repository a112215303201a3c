import { describe, expect, test } from "vitest";
import { largestError, randomValues } from "../../runtime/kernels/kernelBench.ts";
import { scaleValues } from "../../runtime/kernels/scale.ts";
import { useKernelBench } from "../../runtime/kernels/testBench.ts";
import { addLowRank, dropRows, gatherColumns, scatterRows } from "./rowKernels.ts";
import { groupRows } from "./tables.ts";

const bench = await useKernelBench();

test("values are scaled, to the last of them", async () => {
  const x = randomValues(70_004, 1);
  const y = bench.buffer(new Float32Array(x.length));
  await scaleValues(bench.recorder, bench.buffer(x), y, { count: x.length, scale: -3 });
  const want = x.map((v) => Math.fround(-3 * v));
  expect(await bench.read(y, x.length)).toEqual(want);
});

test.each([
  [1, 1, 1],
  [5, 3, 7],
  [6, 8, 130],
  [9, 5, 66],
])("%i rows of rank %i are added to %i outputs", async (rows, rank, outputs) => {
  const [lowStride, outStride] = [4 * Math.ceil(rank / 4) + 4, 4 * Math.ceil(outputs / 4) + 8];
  const low = randomValues(rows * lowStride, 1).map((v, i) => {
    const column = i % lowStride;
    return column >= 4 && column < 4 + rank ? v : 0;
  });
  const b = randomValues(outputs * rank, 2);
  const before = randomValues(rows * outStride, 3);
  const out = bench.buffer(before.slice());
  await addLowRank(
    bench.recorder,
    { buffer: bench.buffer(low), stride: lowStride, offset: 4 },
    bench.buffer(b),
    { buffer: out, stride: outStride, offset: 4 },
    { rows, rank, outputs },
  );
  const want = Float64Array.from(before, (value, i) => {
    const [t, o] = [Math.floor(i / outStride), (i % outStride) - 4];
    if (o < 0 || o >= outputs) return value;
    let sum = value;
    for (let j = 0; j < rank; j++) sum += low[t * lowStride + 4 + j]! * b[o * rank + j]!;
    return sum;
  });
  // Up to eight products of at most 1.
  expect(largestError(await bench.read(out, want.length), want)).toBeLessThanOrEqual(2e-6);
});

test("columns are gathered as rows, and what is scattered into them adds up", async () => {
  const [rank, vocab, scale] = [3, 7, 2];
  const ids = [5, 0, 5, 6];
  const table = randomValues(rank * vocab, 1);
  const out = bench.buffer(new Float32Array(ids.length * 4));
  const rows = { buffer: out, stride: 4, offset: 0 };
  await gatherColumns(
    bench.recorder,
    bench.buffer(Uint32Array.from(ids)),
    { buffer: bench.buffer(table), stride: vocab },
    rows,
    { rows: ids.length, columns: rank, scale },
  );
  const gathered = ids.flatMap((id) => [
    ...Array.from({ length: rank }, (_, j) => scale * table[j * vocab + id]!),
    0,
  ]);
  expect(largestError(await bench.read(out, gathered.length), gathered)).toBeLessThanOrEqual(
    2 ** -22,
  );

  const { groups, lists } = groupRows(ids);
  const before = randomValues(rank * vocab, 2);
  const sums = bench.buffer(before.slice());
  const upright = { buffer: sums, keyStride: 1, columnStride: vocab };
  const lying = { buffer: bench.buffer(lists), groups };
  await scatterRows(bench.recorder, rows, lying, upright, { columns: rank, scale });
  const want = Float64Array.from(before);
  for (const id of ids) {
    for (let j = 0; j < rank; j++) want[j * vocab + id]! += scale * scale * table[j * vocab + id]!;
  }
  expect(largestError(await bench.read(sums, want.length), want)).toBeLessThanOrEqual(2 ** -20);
});

describe("dropping", () => {
  const [rows, columns] = [40, 61];
  const drop = async (key: number, part: number, first = 0) => {
    const ones = new Float32Array(rows * columns).fill(1);
    const y = bench.buffer(new Float32Array(rows * columns));
    await dropRows(
      bench.recorder,
      { buffer: bench.buffer(ones), stride: columns, offset: 0 },
      { buffer: y, stride: columns, offset: 0 },
      { key, part },
      { rows, columns, first, accumulate: true },
    );
    return bench.read(y, rows * columns);
  };

  test("keeps the mean: what is kept grows by what is dropped", async () => {
    for (const part of [0, 0.1, 0.5]) {
      const kept = await drop(7, part);
      expect(new Set(Array.from(kept, (v) => Math.round(v * 1e4) / 1e4))).toEqual(
        new Set(part === 0 ? [1] : [0, Math.round(1e4 / (1 - part)) / 1e4]),
      );
      const dropped = kept.filter((v) => v === 0).length / kept.length;
      // Four standard deviations of 2,440 draws.
      const bound = 4 * Math.sqrt((part * (1 - part)) / kept.length);
      expect(Math.abs(dropped - part)).toBeLessThanOrEqual(bound);
    }
  });

  test("is a pure function of key and element, however the rows are cut", async () => {
    const whole = await drop(7, 0.5);
    expect(await drop(7, 0.5)).toEqual(whole);
    expect(await drop(8, 0.5)).not.toEqual(whole);
    const later = await drop(7, 0.5, 10);
    expect(later.slice(0, 30 * columns)).toEqual(whole.slice(10 * columns));
  });
});
