import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { PooledBuffer } from "../../gpu/pool.ts";
import type { ShaderConstants } from "../../gpu/shaderConstants.ts";

/** WebGPU's default alignment of a uniform binding. */
const SLOT_BYTES = 256;
const SLOTS = 256;

/** A dispatch: its shader files, its buffers in binding order, and last the uniform. */
export interface Dispatch {
  readonly shaders: readonly string[];
  readonly constants?: ShaderConstants;
  readonly reads: readonly GPUBuffer[];
  readonly writes: readonly GPUBuffer[];
  /** Fields of the uniform: integers, then floats, in the struct's order. */
  readonly integers: readonly number[];
  readonly floats?: readonly number[];
  /** Workgroups along x and y. */
  readonly groups: readonly [number, number];
}

interface Recorded {
  readonly pipeline: GPUComputePipeline;
  readonly entries: GPUBindGroupEntry[];
  readonly groups: readonly [number, number];
}

/** Collects dispatches and submits them together, in order. Serves one user at a time. */
export class Recorder {
  readonly gpu: Gpu;
  readonly #uniforms: PooledBuffer;
  readonly #words = new ArrayBuffer(SLOTS * SLOT_BYTES);
  #recorded: Recorded[] = [];

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    const { UNIFORM, COPY_DST } = GPUBufferUsage;
    this.#uniforms = gpu.pool.allocate("kernel shapes", SLOTS * SLOT_BYTES, UNIFORM | COPY_DST);
  }

  /** Bytes that a recorder takes from the pool. */
  static readonly byteLength = SLOTS * SLOT_BYTES;

  async add(dispatch: Dispatch): Promise<void> {
    const { shaders, constants = {}, reads, writes, integers, floats = [], groups } = dispatch;
    const pipeline = await this.gpu.pipeline(shaders, constants, [
      ...reads.map(() => "read-only-storage" as const),
      ...writes.map(() => "storage" as const),
      "uniform",
    ]);
    if (this.#recorded.length === SLOTS) this.submit();
    const offset = this.#recorded.length * SLOT_BYTES;
    const size = 4 * (integers.length + floats.length);
    invariant(size <= SLOT_BYTES, "a kernel's shape fits its slot");
    new Uint32Array(this.#words, offset, integers.length).set(integers);
    new Float32Array(this.#words, offset + 4 * integers.length, floats.length).set(floats);
    const buffers = [...reads, ...writes];
    this.#recorded.push({
      pipeline,
      groups,
      entries: [
        ...buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
        {
          binding: buffers.length,
          resource: { buffer: this.#uniforms.buffer, offset, size: Math.ceil(size / 16) * 16 },
        },
      ],
    });
  }

  /** Submits the recorded dispatches; failures come out of the next `finish`. */
  submit(): void {
    const recorded = this.#recorded;
    if (recorded.length === 0) return;
    this.#recorded = [];
    const submitted = this.gpu.guard("decoder", () => {
      const { device } = this.gpu;
      device.queue.writeBuffer(
        this.#uniforms.buffer,
        0,
        this.#words,
        0,
        recorded.length * SLOT_BYTES,
      );
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { pipeline, entries, groups } of recorded) {
        pass.setPipeline(pipeline);
        const layout = pipeline.getBindGroupLayout(0);
        pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
        pass.dispatchWorkgroups(...groups);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
    submitted.catch(() => undefined); // told by `finish`
    this.#submitted.push(submitted);
  }
  #submitted: Promise<void>[] = [];

  /**
   * Submits and waits until the GPU has accepted everything; throws errors since the last `finish`.
   */
  async finish(): Promise<void> {
    this.submit();
    const submitted = this.#submitted;
    this.#submitted = [];
    await Promise.all(submitted);
  }

  /** Drops what was recorded and not submitted. */
  discard(): void {
    this.#recorded = [];
  }

  release(): void {
    this.#uniforms.release();
  }
}
