import type { OutputDType } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { Gpu } from "../device.ts";
import type { ShaderConstants } from "../link.ts";
import type { PooledBuffer } from "../pool.ts";
import { BLOCK_ELEMENTS, type TileNeeds } from "./tiling.ts";

/** The code that stands for segments of several formats. */
const MIXED = 3;

/** The same stretch of a tensor from every model: the base first, where there is one. */
export interface TileInput {
  /** Where it begins within the tensor, below 2^32. */
  readonly first: number;
  readonly elementCount: number;
  readonly hasBase: boolean;
  readonly segments: readonly {
    readonly format: WeightFormat;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }[];
}

/** A rule's file below its folder in `shaders/`, and the constants it reads, in its order. */
export interface Rule {
  readonly rule: string;
  readonly constants: readonly number[];
}

const ELEMENTWISE = [
  "read-only-storage",
  "read-only-storage",
  "uniform",
  "storage",
  "storage",
] as const;
/** What a histogram counts by; KEY of shaders/harness/histogram.wgsl. */
export const HISTOGRAM_KEYS = { upper: 0, lower: 1, block: 2, place: 3 } as const;
export type HistogramKey = keyof typeof HISTOGRAM_KEYS;

/** Bins of a histogram by the upper 16 bits of a score, the most there are. */
const BINS = 2 ** 16;
/** The most constants a rule reads, beside a fixed few: shaders/lib/task_vectors.wgsl. */
const CONSTANTS_PER_MODEL = 10;

const BLOCKWISE = ["read-only-storage", "read-only-storage", "uniform", "storage"] as const;
const QUADS_PER_GROUP = 64;

/**
 * The GPU buffers of one tile under way. A slot serves one tile at a time; several slots overlap.
 */
export class TileSlot {
  readonly #gpu: Gpu;
  readonly #buffers: PooledBuffer[] = [];
  readonly #arena: GPUBuffer;
  readonly #constants: GPUBuffer;
  readonly #uniform: GPUBuffer;
  readonly #output: GPUBuffer;
  readonly #nonfinite: GPUBuffer;
  readonly #readback: GPUBuffer;
  #histogram: { readonly bins: GPUBuffer; readonly readback: GPUBuffer } | null = null;

  constructor(gpu: Gpu, needs: TileNeeds, tileElements: number) {
    this.#gpu = gpu;
    const { STORAGE, COPY_DST, COPY_SRC, UNIFORM, MAP_READ } = GPUBufferUsage;
    const allocate = this.#allocate.bind(this);
    const segments = needs.models + 1;
    // Each segment starts on a fresh 16 bytes and its last quad is padded.
    const arenaBytes = tileElements * needs.readBytesPerElement + 32 * segments;
    const partialBytes = (tileElements / BLOCK_ELEMENTS) * needs.models * 16;
    const outputBytes = Math.max(tileElements * needs.writeBytesPerElement + 16, partialBytes);
    try {
      this.#arena = allocate("tile", arenaBytes, STORAGE | COPY_DST);
      this.#constants = allocate(
        "constants",
        4 * (CONSTANTS_PER_MODEL * needs.models + 16),
        STORAGE | COPY_DST,
      );
      this.#uniform = allocate("tile layout", 16 + 16 * segments, UNIFORM | COPY_DST);
      this.#output = allocate("merged tile", outputBytes, STORAGE | COPY_SRC);
      this.#nonfinite = allocate("nonfinite count", 4, STORAGE | COPY_SRC | COPY_DST);
      this.#readback = allocate("readback", outputBytes + 16, MAP_READ | COPY_DST);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /**
   * The merged elements as stored bytes, and how many quads of them hold a NaN or an infinity.
   */
  async merge(
    tile: TileInput,
    { rule, constants }: Rule,
    output: OutputDType,
  ): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly nonfinite: number }> {
    const pipeline = await this.#pipeline("elementwise", `merge/${rule}`, tile, output);
    const byteLength = formatBytes(PLAIN_FORMATS[output], tile.elementCount);
    const paddedBytes = Math.ceil(byteLength / 4) * 4;
    await this.#gpu.guard(rule, () => {
      this.#upload(tile, constants);
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(this.#nonfinite);
      this.#dispatch(
        encoder,
        pipeline,
        [this.#output, this.#nonfinite],
        Math.ceil(tile.elementCount / (4 * QUADS_PER_GROUP)),
      );
      encoder.copyBufferToBuffer(this.#nonfinite, 0, this.#readback, 0, 4);
      encoder.copyBufferToBuffer(this.#output, 0, this.#readback, 16, paddedBytes);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(16 + paddedBytes, (mapped) => ({
      nonfinite: new Uint32Array(mapped, 0, 1)[0] as number,
      bytes: new Uint8Array(mapped.slice(16, 16 + byteLength)),
    }));
  }

  /** Four sums per block and model, in block order: `[block][model][fact]`. */
  async reduce(tile: TileInput, { rule, constants }: Rule): Promise<Float32Array<ArrayBuffer>> {
    const pipeline = await this.#pipeline("blockwise", `reduce/${rule}`, tile, "F32");
    const blocks = Math.ceil(tile.elementCount / BLOCK_ELEMENTS);
    const models = tile.segments.length - (tile.hasBase ? 1 : 0);
    const byteLength = blocks * models * 16;
    await this.#gpu.guard(rule, () => {
      this.#upload(tile, constants);
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      this.#dispatch(encoder, pipeline, [this.#output], blocks);
      encoder.copyBufferToBuffer(this.#output, 0, this.#readback, 0, byteLength);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(byteLength, (mapped) => new Float32Array(mapped.slice(0, byteLength)));
  }

  /** How many of the tile's elements fall into each bin by their score in one model. */
  async histogram(
    tile: TileInput,
    { rule, constants }: Rule,
    { key, model }: { readonly key: HistogramKey; readonly model: number },
  ): Promise<Uint32Array<ArrayBuffer>> {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    // Few methods select: who does pays for the room.
    this.#histogram ??= {
      bins: this.#allocate("bins", 4 * BINS, STORAGE | COPY_SRC | COPY_DST),
      readback: this.#allocate("bins readback", 4 * BINS, MAP_READ | COPY_DST),
    };
    const { bins, readback } = this.#histogram;
    const formats = tile.segments.map(({ format }) => format);
    const pipeline = await this.#gpu.pipeline(
      ["harness/histogram.wgsl", `score/${rule}.wgsl`],
      { ...tileConstants(formats, tile.hasBase, "F32"), KEY: HISTOGRAM_KEYS[key] },
      BLOCKWISE,
    );
    await this.#gpu.guard(rule, () => {
      this.#upload(tile, constants, model);
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(bins);
      const groups = Math.ceil(tile.elementCount / (4 * QUADS_PER_GROUP));
      this.#dispatch(encoder, pipeline, [bins], groups);
      encoder.copyBufferToBuffer(bins, 0, readback, 0, 4 * BINS);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(4 * BINS, (mapped) => new Uint32Array(mapped.slice(0)), readback);
  }

  release(): void {
    for (const buffer of this.#buffers) buffer.release();
  }

  #allocate(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const pooled = this.#gpu.pool.allocate(label, byteLength, usage);
    this.#buffers.push(pooled);
    return pooled.buffer;
  }

  #pipeline(
    harness: "elementwise" | "blockwise",
    rule: string,
    tile: TileInput,
    output: OutputDType,
  ) {
    return this.#gpu.pipeline(
      [`harness/${harness}.wgsl`, `${rule}.wgsl`],
      tileConstants(
        tile.segments.map(({ format }) => format),
        tile.hasBase,
        output,
      ),
      harness === "elementwise" ? ELEMENTWISE : BLOCKWISE,
    );
  }

  #upload(tile: TileInput, constants: readonly number[], model = 0): void {
    const { queue } = this.#gpu.device;
    const layout = new Uint32Array(4 + 4 * tile.segments.length);
    layout.set([tile.elementCount, tile.first, model]);
    let offset = 0;
    tile.segments.forEach(({ format, bytes }, i) => {
      invariant(
        bytes.byteLength === formatBytes(format, tile.elementCount),
        "a segment holds the tile's elements",
      );
      layout.set([offset / 8, format.code], 4 + 4 * i);
      queue.writeBuffer(this.#arena, offset, padToQuads(bytes));
      offset += Math.ceil(bytes.byteLength / 16) * 16;
    });
    queue.writeBuffer(this.#uniform, 0, layout);
    if (constants.length > 0) queue.writeBuffer(this.#constants, 0, Float32Array.from(constants));
  }

  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    outputs: readonly GPUBuffer[],
    workgroups: number,
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
    pass.dispatchWorkgroups(workgroups);
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

/** The linked constants of shaders/lib/tile.wgsl for segments of these formats. */
export function tileConstants(
  segments: readonly WeightFormat[],
  hasBase: boolean,
  output: OutputDType,
): ShaderConstants {
  const codes = new Set(segments.map(({ code }) => code));
  const [stored = MIXED] = codes.size === 1 ? codes : [];
  return {
    SEGMENTS: segments.length,
    MODELS: segments.length - Number(hasBase),
    HAS_BASE: hasBase,
    STORED: stored,
    OUTPUT: PLAIN_FORMATS[output].code,
  };
}

/** The bytes with zeros up to a whole 16, so that the last quad reads nothing stale. */
function padToQuads(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const padded = Math.ceil(bytes.byteLength / 16) * 16;
  if (padded === bytes.byteLength) return bytes;
  const copy = new Uint8Array(padded);
  copy.set(bytes);
  return copy;
}
