import type { Tensor } from "onnxruntime-web";
import { expect, test } from "vitest";
import { fromF32 } from "../../core/tensor/convert.ts";
import { useGpu } from "../../gpu/testGpu.ts";
import type { LogitsBlock } from "../languageModel.ts";
import { LogitsRows } from "./logits.ts";
import { OnnxModel } from "./onnxModel.ts";
import type { OnnxSession } from "./session.ts";

const gpu = await useGpu();

async function readBlock({ buffer, rows, rowStride }: LogitsBlock, columns: number) {
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const size = 4 * rows * rowStride;
  const readback = gpu.device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, readback, 0, size);
  gpu.device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  const all = new Float32Array(readback.getMappedRange());
  const kept = Array.from({ length: rows }, (_, row) =>
    Array.from(all.subarray(row * rowStride, row * rowStride + columns)),
  );
  readback.destroy();
  return kept.flat();
}

/** Every value is exact in f16, and no two rows are alike. */
const numberAt = (row: number, column: number) => ((row * 37 + column * 5) % 1021) - 500.5;

function makeLogits(rows: number, columns: number, type: "float32" | "float16", onGpu: boolean) {
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    numberAt(Math.floor(i / columns), i % columns),
  );
  const bytes =
    type === "float16" ? fromF32(values, "F16") : new Uint8Array(values.buffer.slice(0));
  const dims = [1, rows, columns];
  const common = { type, dims, dispose: () => undefined };
  if (!onGpu) return { ...common, location: "cpu", data: bytes } as unknown as Tensor;
  const size = 16 * Math.ceil(bytes.byteLength / 16);
  const { STORAGE, COPY_DST } = GPUBufferUsage;
  const gpuBuffer = gpu.device.createBuffer({ size, usage: STORAGE | COPY_DST });
  const padded = new Uint8Array(size);
  padded.set(bytes);
  gpu.device.queue.writeBuffer(gpuBuffer, 0, padded);
  return { ...common, location: "gpu-buffer", gpuBuffer } as unknown as Tensor;
}

const columnsOf = [61, 64, 129];
const places = columnsOf.flatMap((columns) =>
  (["float32", "float16"] as const).flatMap((type) =>
    [true, false].map((onGpu) => [type, columns, onGpu ? "GPU" : "CPU"] as const),
  ),
);
test.each(places)(
  "%s rows of %i from the %s arrive as they are, wherever they begin",
  async (...place) => {
    const [type, columns, where] = place;
    const rows = new LogitsRows(gpu, columns);
    const logits = makeLogits(11, columns, type, where === "GPU");
    for (const [from, to] of [
      [0, 11],
      [5, 6],
      [7, 11],
      [10, 11],
    ] as const) {
      const block = await rows.convert(logits, from, to, 3);
      expect([block.first, block.rows, block.rowStride % 4]).toEqual([3, to - from, 0]);
      const want = Array.from({ length: (to - from) * columns }, (_, i) =>
        numberAt(from + Math.floor(i / columns), i % columns),
      );
      expect(await readBlock(block, columns)).toEqual(want);
    }
    rows.release();
  },
);

/** A model of five tokens whose logits tell the sum of all ids up to each place. */
function makeModel(withCache: boolean) {
  const runs: (readonly [ids: readonly number[], start: number])[] = [];
  const live = new Set<object>();
  const heldSum = new Map<Tensor, number>();
  const keep = (tensor: object) => {
    live.add(tensor);
    return { ...tensor, dispose: () => live.delete(tensor) } as unknown as Tensor;
  };
  const session = {
    name: "m",
    signature: { ids: new Map(), past: withCache ? [{}] : [] },
    async run(ids: readonly number[], start: number, past: ReadonlyMap<string, Tensor>) {
      runs.push([ids, start]);
      const before = past.get("past");
      let sum = before ? (heldSum.get(before) as number) : 0;
      const data = new Float32Array(ids.length * 5);
      for (const [row, id] of ids.entries()) {
        sum += id;
        data.fill(sum, row * 5, row * 5 + 5);
      }
      const logits = keep({ type: "float32", location: "cpu", data, dims: [1, ids.length, 5] });
      const next = new Map<string, Tensor>();
      if (withCache) {
        const tensor = keep({});
        heldSum.set(tensor, sum);
        next.set("past", tensor);
      }
      return { logits, past: next };
    },
    release: async () => undefined,
  } as unknown as OnnxSession;
  const about = { provider: "webgpu", vocabSize: 5, contextLength: 9 } as const;
  const reserved = gpu.pool.reserve("session", 0);
  const model = new OnnxModel({ gpu, session, reserved, ...about });
  const read = async (
    ids: readonly number[],
    logits: "all" | "last",
    cache = model.newCache(9),
  ) => {
    const sums: (readonly [number, number])[] = [];
    await model.forward(ids, {
      logits,
      cache,
      async onLogits(block) {
        const values = await readBlock(block, 5);
        for (let row = 0; row < block.rows; row++) sums.push([block.first + row, values[5 * row]!]);
      },
    });
    return sums;
  };
  return { model, read, runs, live };
}

test.each([true, false])(
  "calls add up and cutting forgets, with a cache: %s",
  async (withCache) => {
    const { model, read, runs, live } = makeModel(withCache);
    const cache = model.newCache(9);
    expect(await read([1, 2, 3], "all", cache)).toEqual([
      [0, 1],
      [1, 3],
      [2, 6],
    ]);
    expect(await read([4, 1], "last", cache)).toEqual([[1, 11]]);
    cache.truncate(4);
    expect(await read([2], "all", cache)).toEqual([[0, 12]]);
    expect(cache.length).toBe(5);
    const again = [[1, 2, 3, 4, 2], 0];
    const second = withCache ? [[4, 1], 3] : [[1, 2, 3, 4, 1], 0];
    expect(runs).toEqual([[[1, 2, 3], 0], second, again]);
    cache.release();
    expect(live.size).toBe(0);
    model.release();
  },
);

test("what cannot be read is refused, and nothing is kept of it", async () => {
  const { model, read, live } = makeModel(true);
  const cache = model.newCache(2);
  for (const ids of [[], [5], [-1], [0.5], [1, 1, 1]]) {
    await expect(read(ids, "all", cache)).rejects.toMatchObject({ code: "usage" });
  }
  const signal = AbortSignal.abort();
  const aborted = model.forward([1], { logits: "last", onLogits: () => undefined, signal });
  await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
  expect(await read([1, 1], "last", cache)).toEqual([[1, 2]]);
  cache.release();
  expect(live.size).toBe(0);
  model.release();
});
