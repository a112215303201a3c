import { EngineError } from "../contract/index.ts";
import { uniform } from "../core/random.ts";
import { PLAIN_FORMATS } from "../core/tensor/weightFormat.ts";
import type { Gpu } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import { readBytes } from "../gpu/readBytes.ts";
import type { ResourceScope } from "../gpu/resourceScope.ts";
import type { Matrix } from "../runtime/decoder/weights.ts";
import { chooseMatmul } from "../runtime/kernels/matmulKernels.ts";
import { multiply } from "../runtime/kernels/multiply.ts";
import type { Recorder } from "../runtime/kernels/recorder.ts";

/** A stretch of vectors in one buffer: [count × length], rows padded with zeros to `stride`. */
export interface ThinPiece {
  readonly buffer: GPUBuffer;
  readonly length: number;
  readonly stride: number;
}

/** `count` vectors along one axis of a matrix, f32 on the GPU, cut into pieces. */
export interface ThinVectors {
  readonly count: number;
  readonly pieces: readonly ThinPiece[];
}

/** Bytes of inner products that are read back at once. */
const READBACK_BYTES = 2 ** 24;
/** Workgroups along one dimension of a dispatch. */
const MOST_GROUPS = 2 ** 15;

/** A row padded to whole quads. */
export const paddedLength = (length: number) => Math.ceil(length / 4) * 4;

/** Vectors as a matrix of `multiply`, stored [count, length]. */
function asMatrix({ buffer, stride }: ThinPiece, count: number): Matrix {
  const panels = [{ buffer, first: 0, rows: count }];
  return { panels, format: PLAIN_FORMATS.F32, rows: count, columns: stride };
}

/** Inner products, transforms and sums of thin vectors. Serves one factorisation at a time. */
export class ThinAlgebra {
  readonly gpu: Gpu;
  readonly recorder: Recorder;
  readonly #scope: ResourceScope;
  readonly #most: number;
  readonly #transform: PooledBuffer;

  /** `most` vectors at once. */
  constructor(gpu: Gpu, recorder: Recorder, most: number, scope: ResourceScope) {
    this.gpu = gpu;
    this.recorder = recorder;
    this.#scope = scope;
    this.#most = most;
    const { STORAGE, COPY_DST } = GPUBufferUsage;
    const bytes = 4 * most * paddedLength(most);
    this.#transform = scope.keep(gpu.pool.allocate("transform", bytes, STORAGE | COPY_DST));
  }

  /** Zero vectors, in pieces of these lengths. `gpu-memory` where they do not fit. */
  allocate(lengths: readonly number[]): ThinVectors {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.device.limits;
    const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    const pieces = lengths.map((length) => {
      const stride = paddedLength(length);
      const bytes = 4 * this.#most * stride;
      if (bytes > limit) {
        throw new EngineError(
          "gpu-memory",
          `${this.#most} vectors of ${length} values take ${bytes} bytes, but this GPU binds at most ${limit}. Take a smaller rank.`,
          { bytes, limit },
        );
      }
      const usage = STORAGE | COPY_DST | COPY_SRC;
      const { buffer } = this.#scope.keep(this.gpu.pool.allocate("vectors", bytes, usage));
      return { buffer, length, stride };
    });
    return { count: this.#most, pieces };
  }

  /** Fills vectors with numbers between -1 and 1, a pure function of the seed. */
  fillRandom({ count, pieces }: ThinVectors, seed: number): void {
    let counter = 0;
    for (const { buffer, length, stride } of pieces) {
      const values = new Float32Array(count * stride);
      for (let i = 0; i < count; i++) {
        for (let k = 0; k < length; k++) values[i * stride + k] = 2 * uniform(seed, counter++) - 1;
      }
      this.gpu.device.queue.writeBuffer(buffer, 0, values);
    }
  }

  /** z = a·z − b·x − c·p. */
  async combine(
    z: ThinVectors,
    [a, b, c]: readonly [number, number, number],
    x: ThinVectors,
    p: ThinVectors,
  ): Promise<void> {
    for (const [i, piece] of z.pieces.entries()) {
      const quads = (z.count * piece.stride) / 4;
      const groups = Math.ceil(quads / 64);
      const across = Math.min(groups, MOST_GROUPS);
      await this.recorder.add({
        shaders: ["spectrum/three_terms.wgsl"],
        reads: [x.pieces[i]!.buffer, p.pieces[i]!.buffer],
        writes: [piece.buffer],
        integers: [quads, 64 * across],
        floats: [a, b, c],
        groups: [across, Math.ceil(groups / across)],
      });
    }
  }

  /**
   * out_i = Σⱼ T[i, j] · x_j, for a T of any number of rows and `x.count` columns; returns `out` with
   * that many vectors.
   */
  async transform(t: Float64Array, x: ThinVectors, out: ThinVectors): Promise<ThinVectors> {
    const count = t.length / x.count;
    const stride = paddedLength(x.count);
    const values = new Float32Array(count * stride);
    for (let i = 0; i < count; i++) {
      values.set(t.subarray(i * x.count, (i + 1) * x.count), i * stride);
    }
    this.recorder.submit(); // what was recorded reads the earlier transform
    this.gpu.device.queue.writeBuffer(this.#transform.buffer, 0, values);
    for (const [i, piece] of x.pieces.entries()) {
      const result = out.pieces[i]!;
      await multiply(
        this.recorder,
        { buffer: this.#transform.buffer, stride, offset: 0 },
        asMatrix(piece, x.count),
        { ...result, offset: 0 },
        { ...PLAIN, rows: count, layout: "in_out", kernel: this.kernel(count) },
      );
    }
    return { count, pieces: out.pieces };
  }

  /**
   * Inner products of all pairs, [count × count]: float32 within a piece, whose sums are added up in
   * float64.
   */
  async gram({ count, pieces }: ThinVectors): Promise<Float64Array> {
    const each = 4 * count * count;
    const atOnce = Math.min(pieces.length, Math.max(1, Math.floor(READBACK_BYTES / each)));
    const { STORAGE, COPY_SRC } = GPUBufferUsage;
    const products = this.gpu.pool.allocate("products", atOnce * each, STORAGE | COPY_SRC);
    const total = new Float64Array(count * count);
    try {
      for (let first = 0; first < pieces.length; first += atOnce) {
        const group = pieces.slice(first, first + atOnce);
        for (const [i, piece] of group.entries()) {
          await multiply(
            this.recorder,
            { ...piece, offset: 0 },
            asMatrix(piece, count),
            { buffer: products.buffer, stride: count, offset: i * count * count },
            { ...PLAIN, rows: count, layout: "out_in", kernel: this.kernel(count) },
          );
        }
        await this.recorder.finish();
        const bytes = await readBytes(this.gpu, products.buffer, 0, group.length * each);
        const sums = new Float32Array(bytes.buffer);
        for (const [i, sum] of sums.entries()) total[i % total.length]! += sum;
      }
    } finally {
      products.release();
    }
    return total;
  }

  /** Vectors on the CPU, [count × length]. */
  async read({ count, pieces }: ThinVectors): Promise<Float32Array<ArrayBuffer>> {
    await this.recorder.finish();
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const all = new Float32Array(count * length);
    let first = 0;
    for (const piece of pieces) {
      const bytes = await readBytes(this.gpu, piece.buffer, 0, 4 * count * piece.stride);
      const values = new Float32Array(bytes.buffer);
      for (let i = 0; i < count; i++) {
        const row = values.subarray(i * piece.stride, i * piece.stride + piece.length);
        all.set(row, i * length + first);
      }
      first += piece.length;
    }
    return all;
  }

  /** Kernel of a multiplication with so many vectors. */
  kernel(vectors: number) {
    return chooseMatmul(vectors, this.gpu.software);
  }
}

/** A multiplication that neither adds a bias nor to what was there. */
const PLAIN = { bias: null, accumulate: false } as const;
