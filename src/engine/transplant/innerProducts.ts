import { gatherRows } from "../checkpoint/views/gatherRows.ts";
import { byteLength } from "../core/tensor/dtype.ts";
import type { PLAIN_FORMATS, WeightFormat } from "../core/tensor/weightFormat.ts";
import type { Gpu } from "../gpu/device.ts";
import { readBytes } from "../gpu/readBytes.ts";
import type { ResourceScope } from "../gpu/resourceScope.ts";
import { keptFormat } from "../runtime/decoder/tensorLookup.ts";
import { chooseMatmul } from "../runtime/kernels/matmulKernels.ts";
import { multiply } from "../runtime/kernels/multiply.ts";
import type { Recorder } from "../runtime/kernels/recorder.ts";
import type { PickedRows } from "./pickedRows.ts";

/** Bytes of a strip of points on the GPU, and of its products. */
const STRIP_BYTES = 32 * 2 ** 20;
const NONE = 0xffffffff;

/** Points [first, first + count) of the list. */
interface Strip {
  readonly first: number;
  readonly count: number;
  /** Null where it is uploaded for each pass. */
  readonly buffer: GPUBuffer | null;
}

/**
 * Inner products of targets with many points, in float32 on the GPU. The points stay there where they
 * fit into what is left of the budget; else every pass uploads them again, in strips.
 */
export class InnerProducts {
  readonly #gpu: Gpu;
  readonly #recorder: Recorder;
  readonly #points: PickedRows;
  readonly #format: WeightFormat;
  readonly #strips: Strip[] = [];
  readonly #shared: GPUBuffer | null;
  readonly #targets: GPUBuffer;
  readonly #products: GPUBuffer;
  readonly #taken: GPUBuffer;
  readonly #best: GPUBuffer;
  readonly #stride: number;
  readonly #most: number;
  readonly #places: number;
  readonly #stripRows: number;
  #isLoaded = false;

  /**
   * For at most `most` targets at once, each with at most `places` points of its own. Tests may ask for
   * shorter strips, and for points that do not stay.
   */
  constructor(
    gpu: Gpu,
    recorder: Recorder,
    points: PickedRows,
    options: {
      readonly most: number;
      readonly places: number;
      readonly scope: ResourceScope;
      readonly stripRows?: number;
      readonly stay?: boolean;
    },
  ) {
    const { most, places, scope } = options;
    this.#gpu = gpu;
    this.#recorder = recorder;
    this.#points = points;
    this.#format = keptFormat(points.tensor);
    this.#most = most;
    this.#places = Math.max(1, places);
    this.#stride = Math.ceil(points.length / 4) * 4;
    const rowBytes = (this.#format.bits / 8) * points.length;
    const total = points.ids.length;
    const fitting = Math.floor(STRIP_BYTES / Math.max(rowBytes, 4 * most));
    this.#stripRows = Math.min(total, options.stripRows ?? Math.max(1, fitting));
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const allocate = (label: string, bytes: number) =>
      scope.keep(gpu.pool.allocate(label, bytes, STORAGE | COPY_DST | COPY_SRC)).buffer;
    this.#targets = allocate("targets", 4 * most * this.#stride);
    this.#products = allocate("inner products", 4 * most * this.#stripRows);
    this.#taken = allocate("points taken", 4 * most * this.#places);
    this.#best = allocate("largest products", 8 * most);
    const stripBytes = this.#stripRows * rowBytes;
    const strips = Math.ceil(total / Math.max(1, this.#stripRows));
    const left = gpu.pool.budgetBytes - gpu.pool.usedBytes;
    const stay = options.stay ?? strips * (stripBytes + 16) <= left;
    this.#shared = stay ? null : allocate("points", stripBytes);
    for (let first = 0; first < total; first += this.#stripRows) {
      const count = Math.min(this.#stripRows, total - first);
      this.#strips.push({ first, count, buffer: stay ? allocate("points", stripBytes) : null });
    }
  }

  /** For each target the place of the point that has the largest product in size; null: none is left. */
  async largest(
    targets: readonly Float32Array[],
    taken: readonly (readonly number[])[],
  ): Promise<readonly (number | null)[]> {
    const lists = new Uint32Array(targets.length * this.#places);
    for (const [i, places] of taken.entries()) lists.set(places, i * this.#places);
    this.#gpu.device.queue.writeBuffer(this.#taken, 0, lists);
    await this.#multiplyAll(targets, async ({ first, count }) => {
      await this.#recorder.add({
        shaders: ["transplant/largest.wgsl"],
        reads: [this.#products, this.#taken],
        writes: [this.#best],
        integers: [count, count, first, taken[0]?.length ?? 0, this.#places],
        groups: [targets.length, 1],
      });
      await this.#recorder.finish();
    });
    const bytes = await readBytes(this.#gpu, this.#best, 0, 8 * targets.length);
    const words = new Uint32Array(bytes.buffer);
    return targets.map((_, i) => (words[2 * i] === NONE ? null : words[2 * i]!));
  }

  /** Products of each target with every point, [targets × points]. */
  async all(targets: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    const rows = targets.map(() => new Float32Array(this.#points.ids.length));
    await this.#multiplyAll(targets, async ({ first, count }) => {
      await this.#recorder.finish();
      const bytes = await readBytes(this.#gpu, this.#products, 0, 4 * targets.length * count);
      const values = new Float32Array(bytes.buffer);
      for (const [i, row] of rows.entries()) {
        row.set(values.subarray(i * count, (i + 1) * count), first);
      }
    });
    return rows;
  }

  async #multiplyAll(targets: readonly Float32Array[], use: (strip: Strip) => Promise<void>) {
    const { length } = this.#points;
    const padded = new Float32Array(Math.min(this.#most, targets.length) * this.#stride);
    for (const [i, target] of targets.entries()) padded.set(target, i * this.#stride);
    this.#gpu.device.queue.writeBuffer(this.#targets, 0, padded);
    for (const strip of this.#strips) {
      const buffer = await this.#load(strip);
      await multiply(
        this.#recorder,
        { buffer: this.#targets, stride: this.#stride, offset: 0 },
        {
          panels: [{ buffer, first: 0, rows: strip.count }],
          format: this.#format,
          rows: strip.count,
          columns: length,
        },
        { buffer: this.#products, stride: strip.count, offset: 0 },
        {
          rows: targets.length,
          layout: "out_in",
          bias: null,
          accumulate: false,
          kernel: chooseMatmul(targets.length, this.#gpu.software),
        },
      );
      await use(strip);
    }
    this.#isLoaded = true;
  }

  async #load({ first, count, buffer }: Strip): Promise<GPUBuffer> {
    const into = buffer ?? this.#shared!;
    if (buffer && this.#isLoaded) return into;
    const { tensor, ids, length } = this.#points;
    const dtype = this.#format.name as keyof typeof PLAIN_FORMATS;
    const rowBytes = byteLength(dtype, length);
    const bytes = new Uint8Array(Math.ceil((count * rowBytes) / 4) * 4);
    const moves = Array.from({ length: count }, (_, i) => ({ from: ids[first + i]!, to: i }));
    await gatherRows(tensor, moves, dtype, (row, to) => bytes.set(row, to * rowBytes));
    this.#gpu.device.queue.writeBuffer(into, 0, bytes);
    return into;
  }
}
