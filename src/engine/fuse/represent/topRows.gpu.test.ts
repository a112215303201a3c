import { describe, expect, test } from "vitest";
import { randomValues } from "../../runtime/kernels/kernelBench.ts";
import { useKernelBench } from "../../runtime/kernels/testBench.ts";
import type { LanguageModel } from "../../runtime/languageModel.ts";
import { readTopRows, type TopRows, type WantedRow } from "./topRows.ts";

const bench = await useKernelBench();
const { gpu } = bench;

/** Rows [rows, columns] that lie on the GPU in blocks of `blockRows`, with a gap after each row. */
function lying(rows: Float32Array<ArrayBuffer>, columns: number, blockRows: number): LanguageModel {
  const count = rows.length / columns;
  const rowStride = columns + 3;
  return {
    vocabSize: columns,
    contextLength: count,
    maxTokens: Number.POSITIVE_INFINITY,
    newCache() {
      throw new Error("nobody asks for a cache");
    },
    async forward(ids, { onLogits }) {
      for (let first = 0; first < ids.length; first += blockRows) {
        const here = Math.min(blockRows, ids.length - first);
        const block = new Float32Array(here * rowStride).fill(1e9);
        for (let row = 0; row < here; row++) {
          const from = (first + row) * columns;
          block.set(rows.subarray(from, from + columns), row * rowStride);
        }
        await onLogits({ buffer: bench.buffer(block), first, rows: here, rowStride });
      }
    },
    release() {},
  };
}

/** By a stable sort in float64: what the kernel must give. */
function expected(
  rows: Float32Array,
  columns: number,
  wanted: readonly WantedRow[],
  { k, tokens }: { readonly k: number; readonly tokens: number },
) {
  const each = wanted.map(({ position, target }) => {
    const row = Array.from(rows.subarray(position * columns, (position + 1) * columns));
    const top = row.reduce((a, b) => Math.max(a, b));
    const logSum = top + Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0));
    const best = row
      .slice(0, tokens)
      .map((z, id) => ({ z, id }))
      .sort((a, b) => (a.z === b.z ? a.id - b.id : b.z - a.z))
      .slice(0, k);
    return { logSum, nats: logSum - row[target]!, best };
  });
  return {
    ids: each.flatMap(({ best }) => best.map(({ id }) => id)),
    logits: each.flatMap(({ best }) => best.map(({ z }) => z)),
    logSums: each.map(({ logSum }) => logSum),
    nats: each.map(({ nats }) => nats),
  };
}

function check(found: TopRows, want: ReturnType<typeof expected>): void {
  expect(Array.from(found.ids)).toEqual(want.ids);
  expect(Array.from(found.logits, (z) => z + 0)).toEqual(want.logits.map((z) => z + 0));
  for (const [row, logSum] of want.logSums.entries()) {
    // 2^-24 for each of some 12 roundings of the sum's tree, of its largest terms and of the result.
    const bound = 1e-6 * (1 + Math.abs(logSum));
    expect(Math.abs(found.logSums[row]! - logSum)).toBeLessThanOrEqual(bound);
    const natsBound = 1e-6 * (1 + Math.abs(want.nats[row]!) + Math.abs(logSum));
    expect(Math.abs(found.nats[row]! - want.nats[row]!)).toBeLessThanOrEqual(natsBound);
  }
}

const ids = (count: number) => new Array<number>(count).fill(0);
const everyOther = (rows: number, columns: number): readonly WantedRow[] =>
  Array.from({ length: rows >> 1 }, (_, i) => ({ position: 2 * i + 1, target: (i * 7) % columns }));

const SHAPES = [
  [7, 1],
  [7, 7],
  [64, 64],
  [105, 10],
  [300, 64],
  [1025, 10],
  [32_003, 10],
  [151_936, 64],
] as const;

describe.each(SHAPES)("%i columns, %i entries", (columns, k) => {
  test("are the largest, with their sums, wherever the rows lie", async () => {
    const rows = columns > 10_000 ? 4 : 21;
    const values = randomValues(rows * columns, columns).map((z) => 12 * z);
    const wanted = everyOther(rows, columns);
    const found = await readTopRows(gpu, lying(values, columns, 3), ids(rows), wanted, {
      k,
      tokens: columns,
    });
    check(found, expected(values, columns, wanted, { k, tokens: columns }));
    expect([found.k, found.paddingOnTop, Math.max(...found.broken)]).toEqual([k, 0, 0]);
  });
});

// With fewer lanes than entries everything comes into question, and is selected digit by digit.
test.each([32, 256])("%i lanes give the same", async (lanes) => {
  const [columns, rows] = [2051, 8];
  const values = randomValues(rows * columns, 4).map((z) => Math.round(40 * z));
  const wanted = everyOther(rows, columns);
  const options = { k: 64, tokens: 2040 };
  const found = await readTopRows(gpu, lying(values, columns, 3), ids(rows), wanted, {
    ...options,
    lanes,
  });
  check(found, expected(values, columns, wanted, options));
});

test.each([1, 10, 64])("of equal logits the %i smallest ids are kept", async (k) => {
  const columns = 3001; // more than are ranked at once
  // All alike; three levels with more ties than are wanted; zeros of both signs.
  const values = Float32Array.from({ length: 3 * columns }, (_, i) => {
    if (i < columns) return -2.5;
    return i < 2 * columns ? (i % 3) - 4 : i % 2 ? 0 : -0;
  });
  const wanted = [0, 1, 2].map((position) => ({ position, target: 5 }));
  const options = { k, tokens: columns };
  const found = await readTopRows(gpu, lying(values, columns, 2), ids(3), wanted, options);
  check(found, expected(values, columns, wanted, options));
});

test("logits of minus infinity are no mistake, and come last", async () => {
  const columns = 130;
  const values = randomValues(2 * columns, 3);
  for (let v = 0; v < 2 * columns; v++) if (v % 40 !== 7) values[v] = Number.NEGATIVE_INFINITY;
  values[columns + 9] = 1e30;
  const wanted = [
    { position: 0, target: 7 },
    { position: 1, target: 9 },
  ];
  const options = { k: 10, tokens: columns };
  const found = await readTopRows(gpu, lying(values, columns, 2), ids(2), wanted, options);
  check(found, expected(values, columns, wanted, options));
  expect(Array.from(found.broken)).toEqual([0, 0]);
});

test.each([
  ["NaN", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
])("a row with %s is told, and its neighbours are whole", async (_, bad) => {
  const columns = 77;
  const values = randomValues(3 * columns, 5);
  values[columns + 76] = bad;
  const wanted = [0, 1, 2].map((position) => ({ position, target: 1 }));
  const options = { k: 10, tokens: columns };
  const found = await readTopRows(gpu, lying(values, columns, 3), ids(3), wanted, options);
  expect(Array.from(found.broken)).toEqual([0, 1, 0]);
  const [first] = wanted;
  const want = expected(values, columns, [first!], options);
  expect(Array.from(found.ids.subarray(0, 10))).toEqual(want.ids);
});

test("a target without any probability, and a row without any, are told", async () => {
  const columns = 9;
  const values = new Float32Array(2 * columns).fill(Number.NEGATIVE_INFINITY);
  values[0] = 1;
  const wanted = [0, 1].map((position) => ({ position, target: 3 }));
  const options = { k: 2, tokens: columns };
  const found = await readTopRows(gpu, lying(values, columns, 2), ids(2), wanted, options);
  expect(Array.from(found.broken)).toEqual([1, 1]);
});

test("columns that are no tokens are counted in the sum, told, and never given", async () => {
  const columns = 100;
  const values = randomValues(3 * columns, 8);
  values[97] = 20; // on top of the first row
  values[columns + 97] = -20;
  values[2 * columns + 97] = -20;
  const wanted = [0, 1, 2].map((position) => ({ position, target: 3 }));
  const options = { k: 10, tokens: 97 };
  const some = Float32Array.from(values, (z, v) => (v % columns > 97 ? -30 : z));
  const found = await readTopRows(gpu, lying(some, columns, 3), ids(3), wanted, options);
  check(found, expected(some, columns, wanted, options));
  expect(found.paddingOnTop).toBe(1);
  expect(Math.max(...found.ids)).toBeLessThan(97);
});

test("fewer tokens than entries give as many entries as there are tokens; no row is no work", async () => {
  const values = randomValues(5, 1);
  const options = { k: 64, tokens: 5 };
  const model = lying(values, 5, 1);
  const found = await readTopRows(gpu, model, [0], [{ position: 0, target: 0 }], options);
  expect([found.k, found.ids.length]).toEqual([5, 5]);
  expect((await readTopRows(gpu, model, [0], [], options)).ids).toHaveLength(0);
});
