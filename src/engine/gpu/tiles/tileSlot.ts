import type { OutputDType } from "../../contract/index.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { Gpu } from "../device.ts";
import { ResourceScope } from "../resourceScope.ts";
import type { ShaderConstants } from "../shaderConstants.ts";
import { countPartials } from "./sums.ts";
import {
  joinRows,
  packTile,
  partsOf,
  rowsOf,
  type TileInput,
  tileConstants,
  tileUniformBytes,
} from "./tileInput.ts";
import { BLOCK_ELEMENTS, BLOCK_ROWS, type Lines, type TileNeeds } from "./tiling.ts";

/**
 * A rule: its file below its folder in `shaders/`, and its constants; for rules of rows or columns
 * those of each in the tile, one after another.
 */
export interface Rule {
  readonly rule: string;
  readonly constants: readonly number[] | Float32Array;
  /** Constants that its shader is compiled for. */
  readonly linked?: ShaderConstants | undefined;
}

/** A reduce rule, with its number of rows of four sums. */
export interface SumRule extends Rule {
  readonly rows: number;
}

/** A derive rule for the lines of a tile. */
export interface DeriveRule {
  /** Its file below `shaders/derive`. */
  readonly rule: string;
  readonly lines: Pick<Lines, "length" | "stride">;
  /** Model that values are derived of. */
  readonly model: number;
}

const ELEMENTWISE = [
  "read-only-storage",
  "read-only-storage",
  "uniform",
  "storage",
  "storage",
] as const;
/** Keys of a histogram; KEY of shaders/harness/histogram.wgsl. */
export const HISTOGRAM_KEYS = { upper: 0, lower: 1, block: 2, place: 3 } as const;
export type HistogramKey = keyof typeof HISTOGRAM_KEYS;

/** Workgroups of a dispatch along one axis, at most. */
const MOST_GROUPS = 65_535;
/** Digits of four bits of a magnitude: 15 bits in the narrow dtypes, 31 in float32. */
const PASSES = { BF16: 4, F16: 4, F32: 8 } as const;

/** Largest number of histogram bins: one for each value of a score's upper 16 bits. */
const BINS = 2 ** 16;
/** Largest number of constants per model that a rule reads: shaders/lib/task_vectors.wgsl. */
const CONSTANTS_PER_MODEL = 12;

const BLOCKWISE = ["read-only-storage", "read-only-storage", "uniform", "storage"] as const;
const QUADS_PER_GROUP = 64;

/** GPU buffers of one tile. A slot serves one tile at a time; several slots overlap. */
export class TileSlot {
  readonly #gpu: Gpu;
  readonly #scope = new ResourceScope();
  readonly #arena: GPUBuffer;
  readonly #constants: GPUBuffer;
  readonly #uniform: GPUBuffer;
  readonly #output: GPUBuffer;
  readonly #nonfinite: GPUBuffer;
  readonly #readback: GPUBuffer;
  #scratch: GPUBuffer | null = null;
  readonly #scratchBytes: number;
  #histogram: { readonly bins: GPUBuffer; readonly readback: GPUBuffer } | null = null;

  constructor(gpu: Gpu, needs: TileNeeds, tileElements: number) {
    this.#gpu = gpu;
    const { STORAGE, COPY_DST, COPY_SRC, UNIFORM, MAP_READ } = GPUBufferUsage;
    const allocate = this.#allocate.bind(this);
    this.#scratchBytes = Math.ceil(tileElements * needs.scratchBytesPerElement) + 16;
    const { segments } = needs;
    const bytesFor = (each: number) => Math.ceil(tileElements * each) + 16;
    // Each segment starts at a multiple of 16 bytes, and its last quad is padded.
    const arenaBytes = bytesFor(needs.readBytesPerElement) + 32 * segments;
    const outputBytes = bytesFor(Math.max(needs.writeBytesPerElement, needs.sumBytesPerElement));
    const constantBytes = Math.max(
      4 * (CONSTANTS_PER_MODEL * segments + 16),
      bytesFor(needs.constantBytesPerElement) + 16 * segments,
    );
    try {
      this.#arena = allocate("tile", arenaBytes, STORAGE | COPY_DST);
      this.#constants = allocate("constants", constantBytes, STORAGE | COPY_DST);
      this.#uniform = allocate("tile layout", tileUniformBytes(segments), UNIFORM | COPY_DST);
      this.#output = allocate("merged tile", outputBytes, STORAGE | COPY_SRC);
      this.#nonfinite = allocate("nonfinite count", 4, STORAGE | COPY_SRC | COPY_DST);
      this.#readback = allocate("readback", outputBytes + 16, MAP_READ | COPY_DST);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Merged elements as stored bytes, and the number of quads that hold a NaN or an infinity. */
  async merge(
    tile: TileInput,
    rule: Rule,
    output: OutputDType,
  ): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly nonfinite: number }> {
    const { part } = tile.layout;
    const { arithmetic, derived } = tile;
    const parts = partsOf(tile).count;
    const each = part === "tensor" ? 0 : rule.constants.length / parts;
    const pipeline = await this.#gpu.pipeline(
      ["harness/elementwise.wgsl", `merge/${rule.rule}.wgsl`],
      {
        ...tileConstants(formatsOf(tile), tile.hasBase, output, {
          part,
          each,
          arithmetic,
          derived,
        }),
        ...rule.linked,
      },
      ELEMENTWISE,
    );
    const rows = rowsOf(tile);
    const elements = rows.rows * rows.padded;
    const byteLength = Math.ceil(formatBytes(PLAIN_FORMATS[output], elements) / 4) * 4;
    await this.#gpu.guard(rule.rule, () => {
      // Padding columns get constants of 0.
      const filling = part === "column" ? each * (rows.padded - rows.length) : 0;
      this.#upload(tile, rule.constants, { filling });
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(this.#nonfinite);
      this.#dispatch(
        encoder,
        pipeline,
        [this.#output, this.#nonfinite],
        [Math.ceil(elements / (4 * QUADS_PER_GROUP))],
      );
      encoder.copyBufferToBuffer(this.#nonfinite, 0, this.#readback, 0, 4);
      encoder.copyBufferToBuffer(this.#output, 0, this.#readback, 16, byteLength);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(16 + byteLength, (mapped) => ({
      nonfinite: new Uint32Array(mapped, 0, 1)[0] as number,
      bytes: joinRows(new Uint8Array(mapped.slice(16)), rows, PLAIN_FORMATS[output]),
    }));
  }

  /**
   * Sums of the rule over the blocks of each part of the tile (see `addPartials`), of changes
   * multiplied by `unit`, a power of two.
   */
  async reduce(
    tile: TileInput,
    { rule, constants, linked, rows: sumRows }: SumRule,
    unit = 1,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { part } = tile.layout;
    const { arithmetic, derived } = tile;
    const harness = part === "column" ? "columnwise" : "blockwise";
    const pipeline = await this.#gpu.pipeline(
      [`harness/${harness}.wgsl`, `reduce/${rule}.wgsl`],
      {
        ...tileConstants(formatsOf(tile), tile.hasBase, "F32", { part, arithmetic, derived }),
        ...linked,
        ROWS: sumRows,
      },
      BLOCKWISE,
    );
    const { rows, padded } = rowsOf(tile);
    const groups =
      part === "column"
        ? [Math.ceil(padded / (4 * QUADS_PER_GROUP)), Math.ceil(rows / BLOCK_ROWS)]
        : [rows * Math.ceil(padded / BLOCK_ELEMENTS)];
    const byteLength = 4 * countPartials(tile, sumRows);
    await this.#gpu.guard(rule, () => {
      this.#upload(tile, constants, { unit });
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      this.#dispatch(encoder, pipeline, [this.#output], groups);
      encoder.copyBufferToBuffer(this.#output, 0, this.#readback, 0, byteLength);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(byteLength, (mapped) => new Float32Array(mapped.slice(0, byteLength)));
  }

  /** Number of the tile's elements in each bin, by their score in one model. */
  async histogram(
    tile: TileInput,
    { rule, constants }: Rule,
    { key, model }: { readonly key: HistogramKey; readonly model: number },
  ): Promise<Uint32Array<ArrayBuffer>> {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    // Allocated on first use: few methods select.
    this.#histogram ??= {
      bins: this.#allocate("bins", 4 * BINS, STORAGE | COPY_SRC | COPY_DST),
      readback: this.#allocate("bins readback", 4 * BINS, MAP_READ | COPY_DST),
    };
    const { bins, readback } = this.#histogram;
    const pipeline = await this.#gpu.pipeline(
      ["harness/histogram.wgsl", `score/${rule}.wgsl`],
      {
        ...tileConstants(formatsOf(tile), tile.hasBase, "F32", {
          arithmetic: tile.arithmetic,
          derived: tile.derived,
        }),
        KEY: HISTOGRAM_KEYS[key],
      },
      BLOCKWISE,
    );
    await this.#gpu.guard(rule, () => {
      this.#upload(tile, constants, { model });
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(bins);
      const groups = Math.ceil(tile.elementCount / (4 * QUADS_PER_GROUP));
      this.#dispatch(encoder, pipeline, [bins], [groups]);
      encoder.copyBufferToBuffer(bins, 0, readback, 0, 4 * BINS);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(4 * BINS, (mapped) => new Uint32Array(mapped.slice(0)), readback);
  }

  /** Values that a rule derives of each of the tile's elements, as stored float32. */
  async derive(
    tile: TileInput,
    { rule, lines: { length, stride }, model }: DeriveRule,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { arithmetic = "F32" } = tile;
    const { STORAGE } = GPUBufferUsage;
    this.#scratch ??= this.#allocate("scratch", this.#scratchBytes, STORAGE);
    const scratch = this.#scratch;
    const pipeline = await this.#gpu.pipeline(
      [`derive/${rule}.wgsl`],
      {
        ...tileConstants(formatsOf(tile), tile.hasBase, "F32", { arithmetic }),
        PASSES: PASSES[arithmetic],
      },
      ELEMENTWISE,
    );
    const rows = rowsOf(tile);
    const byteLength = 4 * rows.rows * rows.padded;
    const lines = tile.elementCount / length;
    const groups = [Math.min(lines, MOST_GROUPS), Math.ceil(lines / MOST_GROUPS)];
    await this.#gpu.guard(rule, () => {
      this.#upload(tile, [length, stride, lines], { model });
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      this.#dispatch(encoder, pipeline, [this.#output, scratch], groups);
      encoder.copyBufferToBuffer(this.#output, 0, this.#readback, 0, byteLength);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(byteLength, (mapped) =>
      joinRows(new Uint8Array(mapped.slice(0, byteLength)), rows, PLAIN_FORMATS.F32),
    );
  }

  release(): void {
    this.#scope.release();
  }

  #allocate(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.#scope.keep(this.#gpu.pool.allocate(label, byteLength, usage)).buffer;
  }

  #upload(
    tile: TileInput,
    constants: readonly number[] | Float32Array,
    about: { readonly model?: number; readonly unit?: number; readonly filling?: number },
  ): void {
    const { queue } = this.#gpu.device;
    const { words, segments } = packTile(tile, about);
    for (const { offset, bytes } of segments) queue.writeBuffer(this.#arena, offset, bytes);
    queue.writeBuffer(this.#uniform, 0, words);
    if (constants.length === 0) return;
    const filled = new Float32Array(constants.length + (about.filling ?? 0));
    filled.set(constants);
    queue.writeBuffer(this.#constants, 0, filled);
  }

  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    outputs: readonly GPUBuffer[],
    [groups = 1, more = 1]: readonly number[],
  ): void {
    const buffers = [this.#arena, this.#constants, this.#uniform, ...outputs];
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      this.#gpu.device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    pass.dispatchWorkgroups(groups, more);
    pass.end();
  }

  #read<T>(
    byteLength: number,
    take: (mapped: ArrayBuffer) => T,
    readback = this.#readback,
  ): Promise<T> {
    return this.#gpu.guard("readback", async () => {
      await readback.mapAsync(GPUMapMode.READ, 0, byteLength);
      try {
        return take(readback.getMappedRange(0, byteLength));
      } finally {
        readback.unmap();
      }
    });
  }
}

function formatsOf(tile: TileInput): readonly WeightFormat[] {
  return tile.segments.map(({ format }) => format);
}
