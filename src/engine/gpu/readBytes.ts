import type { Gpu } from "./device.ts";

/** Reads a buffer back to the CPU; start and length are multiples of 4. */
export async function readBytes(
  gpu: Gpu,
  buffer: GPUBuffer,
  start: number,
  byteLength: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const readback = gpu.pool.allocate("readback", byteLength, MAP_READ | COPY_DST);
  try {
    return await gpu.guard("readback", async () => {
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, start, readback.buffer, 0, byteLength);
      gpu.device.queue.submit([encoder.finish()]);
      await readback.buffer.mapAsync(GPUMapMode.READ, 0, byteLength);
      return new Uint8Array(readback.buffer.getMappedRange(0, byteLength).slice(0));
    });
  } finally {
    readback.release();
  }
}
