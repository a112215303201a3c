import { EngineError } from "../contract/index.ts";
import type { Gpu } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import { ResourceScope } from "../gpu/resourceScope.ts";
import { Recorder } from "../runtime/kernels/recorder.ts";
import type { Parameter } from "./backward/trainable.ts";

/** Values per partial sum, as in shaders/train/square_sums.wgsl. */
const STRETCH = 4096;
const LANES = 64;
/** WebGPU's default limit of workgroups along one axis of a dispatch. */
const MOST_GROUPS = 65535;

export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Weight decay of matrices; norms and biases have none, as in transformers' Trainer. */
  readonly weightDecay: number;
  /** Largest gradient norm, over all parameters together; 0: no limit. */
  readonly clip: number;
}

/** Advice for a training whose numbers are no longer finite. */
export const NONFINITE_HELP =
  "A lower learning rate, clipping or shorter batches usually help; what was trained until it was last saved is kept.";

interface Trained {
  readonly parameter: Parameter;
  /** First and second moment of each value, interleaved. */
  readonly moments: PooledBuffer;
  readonly firstPartial: number;
  readonly partials: number;
}

/** Bytes of both moments of so many values. */
export function momentBytes(count: number): number {
  return 8 * Math.ceil(count / 4) * 4;
}

/** Bytes of an update beside the moments: sums of squares, twice, and the recorder. */
export function updateBytes(counts: readonly number[]): number {
  const partials = counts.reduce((sum, count) => sum + Math.ceil(count / STRETCH), 0);
  return 8 * partials + Recorder.byteLength;
}

/** Workgroups along x and y that together are at least `count`. */
function spread(count: number): readonly [number, number] {
  const x = Math.min(count, MOST_GROUPS);
  return [x, Math.ceil(count / x)];
}

/** AdamW with its state in f32 on the GPU, and gradient clipping by the global norm. */
export class AdamW {
  readonly #gpu: Gpu;
  readonly #settings: AdamSettings;
  readonly #trained: readonly Trained[];
  readonly #partials: PooledBuffer;
  readonly #readback: PooledBuffer;
  readonly #recorder: Recorder;
  readonly #held = new ResourceScope();

  /** `gpu-memory` where the state does not fit the free budget; then nothing stays allocated. */
  constructor(gpu: Gpu, parameters: readonly Parameter[], settings: AdamSettings) {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    this.#gpu = gpu;
    this.#settings = settings;
    const allocate = (label: string, byteLength: number, usage: number) =>
      this.#held.keep(gpu.pool.allocate(label, byteLength, usage));
    try {
      let partials = 0;
      this.#trained = parameters.map((parameter): Trained => {
        const bytes = momentBytes(parameter.count);
        const moments = allocate("moments", bytes, STORAGE | COPY_SRC | COPY_DST);
        const firstPartial = partials;
        partials += Math.ceil(parameter.count / STRETCH);
        return { parameter, moments, firstPartial, partials: partials - firstPartial };
      });
      this.#partials = allocate("square sums", 4 * partials, STORAGE | COPY_SRC);
      this.#readback = allocate("square sums", 4 * partials, MAP_READ | COPY_DST);
      this.#recorder = this.#held.keep(new Recorder(gpu));
    } catch (error) {
      this.#held.release();
      throw error;
    }
  }

  /** Moments of every parameter, in their order. */
  get moments(): readonly GPUBuffer[] {
    return this.#trained.map(({ moments }) => moments.buffer);
  }

  /**
   * Global gradient norm before update `step` (from 0). `nonfinite` names the first parameter whose
   * gradient holds a NaN or an infinity; then no update may follow.
   */
  async gradientNorm(step: number): Promise<number> {
    for (const { parameter, firstPartial, partials } of this.#trained) {
      const groups = spread(partials);
      await this.#recorder.add({
        shaders: ["train/square_sums.wgsl"],
        reads: [parameter.gradient],
        writes: [this.#partials.buffer],
        integers: [parameter.count, firstPartial, groups[0]],
        groups,
      });
    }
    await this.#recorder.finish();
    const partials = await this.#readPartials();
    let total = 0;
    for (const { parameter, firstPartial, partials: count } of this.#trained) {
      for (let i = firstPartial; i < firstPartial + count; i++) total += partials[i]!;
      if (!Number.isFinite(total)) {
        throw new EngineError(
          "nonfinite",
          `In step ${step + 1} the gradient of "${parameter.name}" holds NaN or infinity. ${NONFINITE_HELP}`,
          { tensor: parameter.name, step: step + 1 },
        );
      }
    }
    return Math.sqrt(total);
  }

  #readPartials(): Promise<Float32Array> {
    const { size } = this.#partials.buffer;
    return this.#gpu.guard("readback", async () => {
      const encoder = this.#gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#partials.buffer, 0, this.#readback.buffer, 0, size);
      this.#gpu.device.queue.submit([encoder.finish()]);
      await this.#readback.buffer.mapAsync(GPUMapMode.READ);
      try {
        return new Float32Array(this.#readback.buffer.getMappedRange().slice(0));
      } finally {
        this.#readback.buffer.unmap();
      }
    });
  }

  /**
   * Applies update `step` (from 0) to every parameter; `norm` is the gradient norm, for clipping.
   */
  async update(step: number, learningRate: number, norm: number): Promise<void> {
    const { beta1, beta2, epsilon, weightDecay, clip } = this.#settings;
    const scale = clip > 0 ? Math.min(1, clip / (norm + 1e-6)) : 1;
    for (const { parameter, moments } of this.#trained) {
      const groups = spread(Math.ceil(parameter.count / LANES));
      const decay = parameter.shape.length > 1 ? weightDecay : 0;
      await this.#recorder.add({
        shaders: ["train/adamw.wgsl"],
        reads: [parameter.gradient],
        writes: [parameter.value, moments.buffer],
        integers: [parameter.count, groups[0] * LANES],
        floats: [
          scale,
          beta1,
          beta2,
          1 - beta1,
          1 - beta2,
          1 - learningRate * decay,
          learningRate / (1 - beta1 ** (step + 1)),
          1 / Math.sqrt(1 - beta2 ** (step + 1)),
          epsilon,
        ],
        groups,
      });
    }
    await this.#recorder.finish();
  }

  release(): void {
    this.#held.release();
  }
}
