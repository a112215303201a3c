import type { Gpu } from "../../gpu/device.ts";
import { crossEntropy } from "../kernels/kernels.ts";
import { Recorder } from "../kernels/recorder.ts";
import type { LanguageModel, LogitsBlock, TokenCache } from "../languageModel.ts";

/** Reads rows of f32 back from the GPU, without padding: `[block.rows, columns]`. */
export async function readRows(
  gpu: Gpu,
  block: LogitsBlock,
  columns: number,
): Promise<Float32Array<ArrayBuffer>> {
  const byteLength = 4 * block.rows * block.rowStride;
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const readback = gpu.pool.allocate("readback", byteLength, MAP_READ | COPY_DST);
  try {
    return await gpu.guard("readback", async () => {
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(block.buffer, 0, readback.buffer, 0, byteLength);
      gpu.device.queue.submit([encoder.finish()]);
      await readback.buffer.mapAsync(GPUMapMode.READ, 0, byteLength);
      const mapped = new Float32Array(readback.buffer.getMappedRange(0, byteLength));
      const rows = new Float32Array(block.rows * columns);
      for (let row = 0; row < block.rows; row++) {
        const from = row * block.rowStride;
        rows.set(mapped.subarray(from, from + columns), row * columns);
      }
      return rows;
    });
  } finally {
    readback.release();
  }
}

/** Logits on the CPU: `[positions, vocabSize]` of all ids, or `[vocabSize]` of the last. */
export async function readLogits(
  gpu: Gpu,
  model: LanguageModel,
  ids: readonly number[],
  logits: "all" | "last",
  options: { readonly cache?: TokenCache; readonly signal?: AbortSignal } = {},
): Promise<Float32Array> {
  const { vocabSize } = model;
  const rows = new Float32Array((logits === "all" ? ids.length : 1) * vocabSize);
  await model.forward(ids, {
    ...options,
    logits,
    async onLogits(block) {
      const first = logits === "all" ? block.first : 0;
      rows.set(await readRows(gpu, block, vocabSize), first * vocabSize);
    },
  });
  return rows;
}

/** Cross-entropy in nats of every id but the first, given those before: `ids.length - 1` values. */
export async function readCrossEntropy(
  gpu: Gpu,
  model: LanguageModel,
  ids: readonly number[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Float32Array> {
  const count = ids.length - 1;
  if (count < 1) return new Float32Array(0);
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const targets = gpu.pool.allocate("targets", 4 * count, STORAGE | COPY_DST);
  const nats = gpu.pool.allocate("nats", 4 * count, STORAGE | COPY_SRC);
  const recorder = new Recorder(gpu);
  try {
    gpu.device.queue.writeBuffer(targets.buffer, 0, Uint32Array.from(ids.slice(1)));
    await model.forward(ids.slice(0, -1), {
      ...options,
      logits: "all",
      async onLogits({ buffer, first, rows, rowStride }) {
        const logits = { buffer, stride: rowStride };
        const shape = { rows, columns: model.vocabSize, first };
        await crossEntropy(recorder, logits, targets.buffer, nats.buffer, shape);
        await recorder.finish();
      },
    });
    const block = { buffer: nats.buffer, first: 0, rows: 1, rowStride: count };
    return await readRows(gpu, block, count);
  } finally {
    recorder.release();
    nats.release();
    targets.release();
  }
}
