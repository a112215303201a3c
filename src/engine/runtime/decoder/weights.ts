import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { ResourceScope } from "../../gpu/resourceScope.ts";
import { keptFormat, type TensorLookup } from "./tensorLookup.ts";

/** Bytes read and uploaded at once. */
const PIECE_BYTES = 16 * 2 ** 20;
/** Rows of a panel: the most that two dimensions of workgroups of four rows reach. */
const MAX_PANEL_ROWS = 2 ** 17;

/** Rows [first, first + rows) of a matrix, in their own buffer. */
export interface Panel {
  readonly buffer: GPUBuffer;
  readonly first: number;
  readonly rows: number;
}

/** A matrix on the GPU, as stored; one larger than a binding is split into panels. */
export interface Matrix {
  readonly panels: readonly Panel[];
  readonly format: WeightFormat;
  readonly rows: number;
  readonly columns: number;
}

/** Loads weights of a checkpoint to the GPU. */
export class WeightLoader {
  readonly #gpu: Gpu;
  readonly #lookup: TensorLookup;
  readonly #widened: boolean;

  /** `widened`: every matrix becomes f32, for training; by default they stay as stored. */
  constructor(gpu: Gpu, lookup: TensorLookup, widened = false) {
    this.#gpu = gpu;
    this.#lookup = lookup;
    this.#widened = widened;
  }

  /** Streams a matrix to the GPU; the scope keeps each buffer as it is made. */
  async matrix(name: string, rows: number, columns: number, scope: ResourceScope): Promise<Matrix> {
    const tensor = this.#lookup.find(name, [rows, columns]);
    const { limits } = this.#gpu.device;
    const format = this.#formatOf(tensor);
    const rowBytes = formatBytes(format, columns);
    const limit = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    // Whole fours of rows, so that a panel of inputs starts at a whole quad.
    const most = Math.floor(limit / rowBytes / 4) * 4;
    if (most === 0) {
      throw new EngineError(
        "gpu-memory",
        `Four rows of "${name}" take ${4 * rowBytes} bytes, but this GPU binds at most ${limit}.`,
        { tensor: name, limit },
      );
    }
    const panelRows = Math.min(rows, most, MAX_PANEL_ROWS);
    const panels: Panel[] = [];
    for (let first = 0; first < rows; first += panelRows) {
      const count = Math.min(panelRows, rows - first);
      const buffer = this.#allocate(name, count * rowBytes, scope);
      await this.#upload(tensor, first * columns, count * columns, buffer);
      panels.push({ buffer, first, rows: count });
    }
    return { panels, format, rows, columns };
  }

  /** Loads a vector as f32. */
  async vector(name: string, length: number, scope: ResourceScope): Promise<GPUBuffer> {
    const tensor = this.#lookup.find(name, [length]);
    const values = toF32(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
    const buffer = this.#allocate(name, 4 * length, scope);
    this.#gpu.device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  /** Format of a matrix on the GPU. */
  #formatOf(tensor: CheckpointTensor): WeightFormat {
    return this.#widened ? PLAIN_FORMATS.F32 : keptFormat(tensor);
  }

  #allocate(label: string, byteLength: number, scope: ResourceScope): GPUBuffer {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    return scope.keep(this.#gpu.pool.allocate(label, byteLength, STORAGE | COPY_DST | COPY_SRC))
      .buffer;
  }

  async #upload(
    tensor: CheckpointTensor,
    firstElement: number,
    elementCount: number,
    buffer: GPUBuffer,
  ): Promise<void> {
    const { dtype } = tensor;
    const format = this.#formatOf(tensor);
    const pieceElements = PIECE_BYTES / 8; // whole words in any dtype
    for (let done = 0; done < elementCount; done += pieceElements) {
      const count = Math.min(pieceElements, elementCount - done);
      const start = byteLength(dtype, firstElement + done);
      const bytes = await readTensor(tensor, start, byteLength(dtype, count));
      const stored = format.name === dtype ? bytes : new Uint8Array(toF32(bytes, dtype).buffer);
      this.#gpu.device.queue.writeBuffer(buffer, formatBytes(format, done), wholeWords(stored));
    }
  }
}

/** Bytes padded to whole words, which `writeBuffer` demands. */
function wholeWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  padded.set(bytes);
  return padded;
}
