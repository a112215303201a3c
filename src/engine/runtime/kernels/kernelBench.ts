import { uniform } from "../../core/random.ts";
import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { Recorder } from "./recorder.ts";

/** Buffers, recorder and readback around one kernel, for tests and goldens. */
export class KernelBench {
  readonly gpu: Gpu;
  #scope = new ResourceScope();
  #recorder: Recorder;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.#recorder = this.#scope.keep(new Recorder(gpu));
  }

  get recorder(): Recorder {
    return this.#recorder;
  }

  buffer(values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const size = Math.ceil(values.byteLength / 4) * 4;
    const usage = STORAGE | COPY_DST | COPY_SRC;
    const { buffer } = this.#scope.keep(this.gpu.pool.allocate("test", size, usage));
    const bytes = new Uint8Array(size);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.gpu.device.queue.writeBuffer(buffer, 0, bytes);
    return buffer;
  }

  async read(buffer: GPUBuffer, count: number): Promise<Float32Array> {
    await this.recorder.finish();
    const { MAP_READ, COPY_DST } = GPUBufferUsage;
    const readback = this.gpu.device.createBuffer({ size: 4 * count, usage: MAP_READ | COPY_DST });
    const encoder = this.gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, readback, 0, 4 * count);
    this.gpu.device.queue.submit([encoder.finish()]);
    await readback.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(readback.getMappedRange().slice(0));
    readback.destroy();
    return values;
  }

  /** Releases all buffers, and what was recorded with them. */
  clear(): void {
    this.release();
    this.#scope = new ResourceScope();
    this.#recorder = this.#scope.keep(new Recorder(this.gpu));
  }

  release(): void {
    this.#scope.release();
  }
}

/** Seeded values between -1 and 1. */
export function randomValues(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => 2 * uniform(seed, i) - 1);
}

/** Largest |got - want|; NaN where any value is. */
export function largestError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.NaN;
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i]! - want[i]!);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}
