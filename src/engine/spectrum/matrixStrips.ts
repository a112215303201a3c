import { type CheckpointTensor, readTensor } from "../checkpoint/checkpoint.ts";
import { EngineError } from "../contract/index.ts";
import { toF32 } from "../core/tensor/convert.ts";
import { byteLength } from "../core/tensor/dtype.ts";
import { PLAIN_FORMATS } from "../core/tensor/weightFormat.ts";
import { readBytes } from "../gpu/readBytes.ts";
import type { ResourceScope } from "../gpu/resourceScope.ts";
import { mapOrdered } from "../gpu/tiles/ordered.ts";
import { keptFormat } from "../runtime/decoder/tensorLookup.ts";
import type { Matrix } from "../runtime/decoder/weights.ts";
import type { Recorder } from "../runtime/kernels/recorder.ts";
import { paddedLength } from "./thinVectors.ts";

/** A matrix whose spectrum is asked for: model − base, or the model's own where there is no base. */
export interface MatrixSource {
  /** Name in messages. */
  readonly name: string;
  /** Row-major [rows, columns], as its tensors are stored. */
  readonly rows: number;
  readonly columns: number;
  readonly model: CheckpointTensor;
  readonly base: CheckpointTensor | null;
}

/** Values of a strip: 16 MiB in float32. */
const STRIP_VALUES = 2 ** 22;
/** Rows of a strip, so that float32 sums along them are exact to a few roundings. */
const MOST_ROWS = 4096;
/** Values per block of sums, as in shaders/spectrum/difference.wgsl. */
const BLOCK_VALUES = 2048;
/** BASE of shaders/spectrum/difference.wgsl where there is none. */
const NO_BASE = 3;
/** Bits of infinity in float32. */
const INFINITY_BITS = 0x7f800000;
/** Binary exponents of Frobenius norms whose squares and products are safe in float32. */
const SAFE_EXPONENT = 20;
/** Largest exponent of a scale, so that it is a normal number. */
const MOST_EXPONENT = 120;

/** Rows [first, first + rows). */
export interface Strip {
  readonly first: number;
  readonly rows: number;
}

/** Strips of whole rows that fit the memory of one. */
export function cutStrips({ rows, columns }: Pick<MatrixSource, "rows" | "columns">): Strip[] {
  const fitting = Math.floor(STRIP_VALUES / paddedLength(columns) / 4) * 4;
  const most = Math.max(4, Math.min(fitting, MOST_ROWS));
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({
    first: i * most,
    rows: Math.min(most, rows - i * most),
  }));
}

type Use = (strip: Strip, index: number) => Promise<void>;

/**
 * A matrix on the GPU in strips of rows. It stays there where it fits into what is left of the budget
 * and its norm is within range; else every pass reads it again, scaled, and memory is that of a strip.
 */
export class MatrixStrips {
  readonly strips: readonly Strip[];
  readonly #source: MatrixSource;
  readonly #recorder: Recorder;
  readonly #signal: AbortSignal;
  readonly #stored: { readonly model: GPUBuffer; readonly base: GPUBuffer };
  readonly #blocks: GPUBuffer;
  readonly #place: GPUBuffer;
  #resident: readonly GPUBuffer[] | null;
  #energy = 0;
  #unit = 1;

  private constructor(
    source: MatrixSource,
    recorder: Recorder,
    { scope, signal }: { readonly scope: ResourceScope; readonly signal: AbortSignal },
  ) {
    this.#source = source;
    this.#recorder = recorder;
    this.#signal = signal;
    this.strips = cutStrips(source);
    const { pool } = recorder.gpu;
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const allocate = (label: string, bytes: number) =>
      scope.keep(pool.allocate(label, bytes, STORAGE | COPY_DST | COPY_SRC)).buffer;
    const rows = this.strips[0]?.rows ?? 0;
    const values = rows * paddedLength(source.columns);
    const storedBytes = (tensor: CheckpointTensor) =>
      (keptFormat(tensor).bits / 8) * rows * source.columns;
    const model = allocate("strip of the model", storedBytes(source.model));
    // WebGPU demands a buffer for every binding; without a base it is not read.
    const base = source.base ? allocate("strip of the base", storedBytes(source.base)) : model;
    this.#stored = { model, base };
    this.#blocks = allocate("sums of a strip", 8 * Math.ceil(values / BLOCK_VALUES));
    const whole = 4 * source.rows * paddedLength(source.columns);
    const fits = whole <= pool.budgetBytes - pool.usedBytes;
    this.#resident = fits
      ? this.strips.map((strip) => allocate("matrix", this.#bytes(strip)))
      : null;
    this.#place = this.#resident?.[0] ?? allocate("strip of the matrix", 4 * values);
  }

  /** Reads the matrix once. `nonfinite` where its tensors hold NaN or infinity. */
  static async open(
    source: MatrixSource,
    recorder: Recorder,
    options: { readonly scope: ResourceScope; readonly signal: AbortSignal },
  ): Promise<MatrixStrips> {
    const strips = new MatrixStrips(source, recorder, options);
    await strips.#measure();
    return strips;
  }

  /** ‖A‖²_F of the matrix as it is, exact to two millionths. */
  get energy(): number {
    return this.#energy;
  }

  /** Power of two that the matrix on the GPU is scaled by. */
  get unit(): number {
    return this.#unit;
  }

  /** Passes every strip to `use` in order: [rows, padded columns] in f32. */
  async each(use: (strip: Matrix, index: number) => Promise<void>): Promise<void> {
    if (!this.#resident) {
      await this.#read(async (strip, index) => use(this.#matrix(this.#place, strip), index));
      return;
    }
    for (const [index, buffer] of this.#resident.entries()) {
      this.#signal.throwIfAborted();
      await use(this.#matrix(buffer, this.strips[index]!), index);
      await this.#recorder.finish();
    }
  }

  async #measure(): Promise<void> {
    await this.#read(async (strip) => {
      this.#energy += await this.#sumSquares(strip);
    });
    const exponent = this.#energy === 0 ? 0 : Math.floor(Math.log2(this.#energy) / 2);
    if (Math.abs(exponent) <= SAFE_EXPONENT) return;
    this.#unit = 2 ** Math.max(-MOST_EXPONENT, Math.min(MOST_EXPONENT, -exponent));
    this.#resident = null; // what is there is not scaled
  }

  /** Reads, uploads and forms strip after strip; the next is read meanwhile. */
  async #read(use: Use): Promise<void> {
    const { model, base } = this.#source;
    const { device } = this.#recorder.gpu;
    const pieces = mapOrdered(this.strips, 2, async (strip) => ({
      strip,
      model: await this.#stretch(model, strip),
      base: base && (await this.#stretch(base, strip)),
    }));
    let index = 0;
    for await (const piece of pieces) {
      this.#signal.throwIfAborted();
      device.queue.writeBuffer(this.#stored.model, 0, piece.model);
      if (piece.base) device.queue.writeBuffer(this.#stored.base, 0, piece.base);
      await this.#form(piece.strip, this.#resident?.[index] ?? this.#place);
      await use(piece.strip, index++);
      await this.#recorder.finish();
      // Uploads beyond what the GPU has taken would pile up in memory.
      await device.queue.onSubmittedWorkDone();
    }
  }

  /** Bytes of a strip of a tensor in the format that the shader reads, in whole words. */
  async #stretch(
    tensor: CheckpointTensor,
    { first, rows }: Strip,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { columns } = this.#source;
    const start = byteLength(tensor.dtype, first * columns);
    const bytes = await readTensor(tensor, start, byteLength(tensor.dtype, rows * columns));
    const isKept = keptFormat(tensor).name === tensor.dtype;
    const kept = isKept ? bytes : new Uint8Array(toF32(bytes, tensor.dtype).buffer);
    if (kept.byteLength % 4 === 0) return kept;
    const whole = new Uint8Array(Math.ceil(kept.byteLength / 4) * 4);
    whole.set(kept);
    return whole;
  }

  #form({ rows }: Strip, into: GPUBuffer): Promise<void> {
    const { model, base, columns } = this.#source;
    const quads = paddedLength(columns) / 4;
    return this.#recorder.add({
      shaders: ["spectrum/difference.wgsl"],
      constants: {
        MODEL: keptFormat(model).code,
        BASE: base ? keptFormat(base).code : NO_BASE,
      },
      reads: [this.#stored.model, this.#stored.base],
      writes: [into, this.#blocks],
      integers: [rows, columns, quads],
      floats: [this.#unit],
      groups: [Math.ceil((4 * rows * quads) / BLOCK_VALUES), 1],
    });
  }

  async #sumSquares(strip: Strip): Promise<number> {
    await this.#recorder.finish();
    const { gpu } = this.#recorder;
    const count = Math.ceil(this.#bytes(strip) / 4 / BLOCK_VALUES);
    const { buffer } = await readBytes(gpu, this.#blocks, 0, 8 * count);
    const tops = new Uint32Array(buffer);
    const sums = new Float32Array(buffer);
    let energy = 0;
    for (let i = 0; i < 2 * count; i += 2) {
      const top = tops[i]!;
      if (top >= INFINITY_BITS) throw nonfinite(this.#source, strip);
      const exponent = Math.max(1, Math.min(253, top >>> 23)) - 127;
      energy += sums[i + 1]! * 4 ** exponent;
    }
    return energy;
  }

  #bytes({ rows }: Strip): number {
    return 4 * rows * paddedLength(this.#source.columns);
  }

  #matrix(buffer: GPUBuffer, { rows }: Strip): Matrix {
    const panels = [{ buffer, first: 0, rows }];
    const columns = paddedLength(this.#source.columns);
    return { panels, format: PLAIN_FORMATS.F32, rows, columns };
  }
}

function nonfinite({ name, base }: MatrixSource, { first, rows }: Strip): EngineError {
  const what = base ? "of the model or the base, or their difference," : "of the model";
  return new EngineError(
    "nonfinite",
    `"${name}" ${what} holds NaN or infinity in rows ${first} to ${first + rows - 1}: it has no singular values. Leave it out, or mend the model.`,
    { tensor: name, firstRow: first, lastRow: first + rows - 1 },
  );
}
