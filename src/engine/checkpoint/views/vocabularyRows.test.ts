import { expect, test } from "vitest";
import type { OutputDType } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { createRandom } from "../../core/random.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { type Checkpoint, type CheckpointTensor, readTensor } from "../checkpoint.ts";
import { readRanges } from "./gatherRows.ts";
import { ROW, type VocabularyRows } from "./rowSource.ts";
import { rebuildRows } from "./vocabularyRows.ts";

const EMBEDDING = "model.embed_tokens.weight";
const BIAS = "lm_head.bias";

interface Given {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
  readonly dtype?: OutputDType;
}

/** A checkpoint that notes the ranges that are read of it. */
function checkpointOf(tensors: Readonly<Record<string, Given>>) {
  const reads: (readonly [start: number, length: number])[] = [];
  const cards = Object.entries(tensors).map(([name, { shape, values, dtype = "F32" }]) => {
    const memory = bytesInMemory(fromF32(values, dtype));
    const source = {
      byteLength: memory.byteLength,
      read: (start: number, length: number) => {
        reads.push([start, length]);
        return memory.read(start, length);
      },
    };
    const elementCount = values.length;
    const bytes = byteLength(dtype, elementCount);
    const card = {
      name,
      dtype,
      shape,
      elementCount,
      byteLength: bytes,
      file: "",
      source,
      start: 0,
    };
    return [name, card satisfies CheckpointTensor] as const;
  });
  const checkpoint: Checkpoint = {
    name: "model",
    config: null,
    tensors: new Map(cards),
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
  return { checkpoint, reads };
}

const random = createRandom(7);
const numbers = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
const model = (rows: number, width: number, dtype: OutputDType = "F32") =>
  checkpointOf({
    [EMBEDDING]: { shape: [rows, width], values: numbers(rows * width), dtype },
    [BIAS]: { shape: [rows], values: numbers(rows), dtype },
    "model.norm.weight": { shape: [width], values: numbers(width), dtype },
  });

async function valuesOf({ tensors }: Checkpoint, name: string) {
  const tensor = tensors.get(name)!;
  return toF32(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
}

const rowsOf = (
  own: readonly (readonly number[])[],
  shared: readonly (readonly [number, number])[],
) =>
  ({
    count: shared.length,
    own: own.map((rows) => Int32Array.from(rows)),
    shared: Int32Array.from(shared, ([from]) => from),
    sharedRow: Int32Array.from(shared, ([, row]) => row),
  }) satisfies VocabularyRows;

const { mean, zero, padding } = ROW;

test("each kind of row: own, another's, the mean of all owners, zeros, padding", async () => {
  const [a, b, c] = [model(4, 3), model(5, 3), model(2, 3)];
  const rows = rowsOf(
    [
      [2, -1, 0, -1, -1],
      [4, -1, 1, -1, -1],
      [-1, 0, -1, -1, -1],
    ],
    [
      [mean, 0],
      [2, 0],
      [1, 1],
      [zero, 0],
      [padding, 0],
    ],
  );
  const views = rebuildRows([a.checkpoint, b.checkpoint, c.checkpoint], () => rows);
  const [x, y, z] = await Promise.all(
    [a, b, c].map(({ checkpoint }) => valuesOf(checkpoint, EMBEDDING)),
  );
  const row = (of: Float32Array | undefined, at: number) => [...of!.slice(3 * at, 3 * at + 3)];
  const average = (...all: readonly (readonly number[])[]) =>
    all[0]!.map((_, i) => {
      const sum = all.reduce((done, each) => Math.fround(done + each[i]!), 0);
      return Math.fround(sum / all.length);
    });
  const wanted = [
    [row(x, 2), row(z, 0), row(x, 0), [0, 0, 0]],
    [row(y, 4), row(z, 0), row(y, 1), [0, 0, 0]],
    [average(row(x, 2), row(y, 4)), row(z, 0), row(y, 1), [0, 0, 0]],
  ];
  for (const [i, view] of views.entries()) {
    const values = await valuesOf(view, EMBEDDING);
    expect(values.length).toBe(15);
    for (const [at, each] of wanted[i]!.entries()) expect(row(values, at)).toEqual(each);
    const mean64 = [0, 1, 2].map((at) => wanted[i]!.reduce((sum, each) => sum + each[at]!, 0) / 4);
    // A mean of four float32 numbers in float64, rounded once.
    for (const [at, value] of row(values, 4).entries()) {
      expect(Math.abs(value - mean64[at]!)).toBeLessThanOrEqual(2 ** -24 * Math.abs(mean64[at]!));
    }
    expect(view.tensors.get(BIAS)!.shape).toEqual([5]);
    expect(view.tensors.get("model.norm.weight")).toBe(
      [a, b, c][i]!.checkpoint.tensors.get("model.norm.weight"),
    );
  }
});

test("any range of bytes is what the whole tensor has there", async () => {
  for (const dtype of ["F32", "BF16", "F16"] as const) {
    const [a, b] = [model(40, 7, dtype), model(30, 7, dtype)];
    const order = Array.from({ length: 40 }, (_, i) => (i * 17) % 40);
    const own = [order, order.map((row) => (row < 30 ? row : -1))];
    const shared = order.map((row) => [row < 30 ? zero : mean, 0] as const);
    const [view] = rebuildRows([b.checkpoint, a.checkpoint], () =>
      rowsOf([own[1]!, own[0]!], shared),
    );
    const tensor = view!.tensors.get(EMBEDDING)!;
    const whole = await readTensor(tensor, 0, tensor.byteLength);
    for (let i = 0; i < 200; i++) {
      const start = Math.floor(random() * tensor.byteLength);
      const length = Math.floor(random() * (tensor.byteLength - start + 1));
      expect(await readTensor(tensor, start, length)).toEqual(whole.slice(start, start + length));
    }
  }
});

test("rows that keep their places are the same tensors, or the start of the same bytes", () => {
  const { checkpoint } = model(6, 4);
  const keep = (count: number) => {
    const own = Array.from({ length: count }, (_, i) => i);
    const shared = own.map(() => [zero, 0] as const);
    return rebuildRows([checkpoint], () => rowsOf([own], shared))[0]!;
  };
  expect(keep(6)).toBe(checkpoint);
  const cut = keep(5).tensors.get(EMBEDDING)!;
  expect(cut.source).toBe(checkpoint.tensors.get(EMBEDDING)!.source);
  expect([cut.shape, cut.elementCount, cut.byteLength]).toEqual([[5, 4], 20, 80]);
});

test("neighbours are read at once, rows far apart one by one, and pieces stay small", async () => {
  const width = 4096;
  const { checkpoint, reads } = checkpointOf({
    [EMBEDDING]: { shape: [300, width], values: new Float32Array(300 * width) },
  });
  const order = [...Array(100).keys(), 200, 299, 100];
  const rows = rowsOf(
    [order],
    order.map(() => [zero, 0] as const),
  );
  const [view] = rebuildRows([checkpoint], () => rows);
  const tensor = view!.tensors.get(EMBEDDING)!;
  await readTensor(tensor, 0, tensor.byteLength);
  const bytes = 4 * width;
  expect(reads).toEqual([
    [0, 101 * bytes],
    [200 * bytes, bytes],
    [299 * bytes, bytes],
  ]);
  const many = Array.from({ length: 1000 }, (_, i) => ({ from: i, to: i }));
  const ranges = readRanges(many, 64 * 1024);
  expect(Math.max(...ranges.map((range) => range.length * 64 * 1024))).toBe(4 * 2 ** 20);
  // Scattered rows cost at most 16 KiB each beside themselves.
  const scattered = Array.from({ length: 500 }, () => ({
    from: Math.floor(random() * 1e6),
    to: 0,
  }));
  const read = readRanges(scattered, 512).reduce(
    (sum, range) => sum + (range.at(-1)!.from + 1 - range[0]!.from) * 512,
    0,
  );
  expect(read).toBeLessThanOrEqual(500 * (512 + 16 * 1024));
});

test("tensors of several dtypes: rows are widened, means rounded where mergekit rounds them", async () => {
  const [a, b] = [
    checkpointOf({ [EMBEDDING]: { shape: [2, 1], values: Float32Array.of(1, 3), dtype: "BF16" } }),
    checkpointOf({
      [EMBEDDING]: { shape: [1, 1], values: Float32Array.of(1 + 2 ** -7), dtype: "BF16" },
    }),
  ];
  const c = checkpointOf({ [EMBEDDING]: { shape: [1, 1], values: Float32Array.of(0) } });
  const rows = rowsOf(
    [
      [0, 1],
      [0, -1],
      [-1, -1],
    ],
    [
      [mean, 0],
      [0, 1],
    ],
  );
  const read = async (dtype?: OutputDType) => {
    const views = rebuildRows([a.checkpoint, b.checkpoint, c.checkpoint], () => rows, dtype);
    return [...(await valuesOf(views[2]!, EMBEDDING))];
  };
  expect(await read("F32")).toEqual([1 + 2 ** -8, 3]);
  // 2 + 2^-7 lies half-way between two bf16 numbers: it becomes 2.
  expect(await read("BF16")).toEqual([1, 3]);
});

test("a tokenizer with an id that its tensor has no row for is refused", () => {
  const { checkpoint } = model(3, 2);
  const rows = rowsOf(
    [[0, 3]],
    [
      [zero, 0],
      [zero, 0],
    ],
  );
  expect(() => rebuildRows([checkpoint], () => rows)).toThrow(/has 3 rows, but .* id 3/);
});
