import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../device.ts";
import { ResourceScope } from "../resourceScope.ts";
import type { ShaderConstants } from "../shaderConstants.ts";
import { readMapped, run } from "./dispatch.ts";
import { rowsOf, type TileRange } from "./tileInput.ts";
import { type Layout, paddedRow } from "./tiling.ts";

/** Bindings of shaders/harness/count.wgsl. */
export const COUNTING = [
  "read-only-storage",
  "read-only-storage",
  "uniform",
  "storage",
  "storage",
] as const;

/**
 * How a selection counts. A GPU counts in workgroups' own bins, which are few; where a lane is a turn of
 * a loop, barriers are dear, and many bins spare a pass.
 */
const ON_GPU = { DIGIT_BITS: 11, OWN_BINS: true, LANES: 256 } as const;
const IN_SOFTWARE = { DIGIT_BITS: 16, OWN_BINS: false, LANES: 64 } as const;
/** A score that is not negative has 31 bits. */
const SCORE_BITS = 31;
/** Quads of a workgroup in shaders/harness/count.wgsl. */
const QUADS_PER_GROUP = 4096;
/** Words of `Search` in shaders/lib/search.wgsl, and the place of its fields. */
const WORDS = 12;
const FIELD = {
  model: 0,
  left: 1,
  bits: 2,
  place: 3,
  shift: 4,
  width: 5,
  stage: 6,
  placeBits: 7,
  zeros: 9,
  tied: 10,
  scoresOnly: 11,
} as const;
const STAGE = { done: 2 } as const;

/** Where a search ended: the score of the last element kept, and its index where others tie with it. */
export interface Found {
  readonly bits: number;
  readonly last: number | null;
}

/**
 * Exact selection of the largest elements of a tensor by score, of equal ones the first: a radix
 * search over some bits at a time, first of the score's bit pattern, then, among those that tie at the
 * threshold, of the index. Every pass serves all searches and leaves its outcome on the GPU.
 */
export class RadixSelection {
  readonly rule: string;
  readonly hasBase: boolean;
  readonly seesDerived = true;
  readonly #way: typeof ON_GPU | typeof IN_SOFTWARE;
  readonly #gpu: Gpu;
  readonly #scope = new ResourceScope();
  readonly #count: number;
  readonly #placeBits: number;
  readonly #bins: GPUBuffer;
  readonly #searches: GPUBuffer;
  readonly #readback: GPUBuffer;

  constructor(
    gpu: Gpu,
    about: {
      readonly rule: string;
      readonly hasBase: boolean;
      readonly layout: Layout;
      /** Whether equal scores need not be told apart. */
      readonly scoresOnly: boolean;
    },
    models: readonly number[],
  ) {
    this.rule = about.rule;
    this.hasBase = about.hasBase;
    this.#way = gpu.software ? IN_SOFTWARE : ON_GPU;
    this.#gpu = gpu;
    this.#count = models.length;
    const { rows, rowLength } = about.layout;
    // Places count the padding of rows.
    this.#placeBits = Math.max(1, Math.ceil(Math.log2(rows * paddedRow(rowLength))));
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    const bytes = 4 * WORDS * models.length;
    try {
      this.#bins = this.#allocate("bins", 4 * 2 ** this.#way.DIGIT_BITS * models.length, STORAGE);
      this.#searches = this.#allocate("searches", bytes, STORAGE | COPY_DST | COPY_SRC);
      this.#readback = this.#allocate("found", bytes, MAP_READ | COPY_DST);
    } catch (error) {
      this.release();
      throw error;
    }
    const words = new Uint32Array(WORDS * models.length);
    for (const [i, model] of models.entries()) {
      const at = WORDS * i;
      words[at + FIELD.model] = model;
      words[at + FIELD.shift] = SCORE_BITS - this.#way.DIGIT_BITS;
      words[at + FIELD.width] = this.#way.DIGIT_BITS;
      words[at + FIELD.placeBits] = this.#placeBits;
      words[at + FIELD.scoresOnly] = Number(about.scoresOnly);
    }
    gpu.device.queue.writeBuffer(this.#searches, 0, words);
  }

  /** Largest number of passes that a selection takes. */
  get passes(): number {
    const { DIGIT_BITS } = this.#way;
    return Math.ceil(SCORE_BITS / DIGIT_BITS) + Math.ceil(this.#placeBits / DIGIT_BITS);
  }

  get linked(): ShaderConstants {
    return this.#way;
  }

  get buffers(): readonly GPUBuffer[] {
    return [this.#bins, this.#searches];
  }

  /** Workgroups that count a tile, for all searches. */
  groupsOf(tile: TileRange): readonly number[] {
    const { rows, padded } = rowsOf(tile);
    return [Math.ceil((rows * padded) / (4 * QUADS_PER_GROUP)), this.#count];
  }

  /** Sets what each search looks for: its n-th largest element, or nothing where n is 0. */
  seek(ranks: readonly number[]): void {
    invariant(ranks.length === this.#count, "every search has a rank");
    const { queue } = this.#gpu.device;
    for (const [i, rank] of ranks.entries()) {
      const place = (field: number) => 4 * (WORDS * i + field);
      queue.writeBuffer(this.#searches, place(FIELD.left), Uint32Array.of(rank));
      if (rank > 0) continue;
      queue.writeBuffer(this.#searches, place(FIELD.stage), Uint32Array.of(STAGE.done));
    }
  }

  /** Ends a pass: finds the bin in which each search goes on. */
  async narrow(): Promise<void> {
    const pipeline = await this.#gpu.pipeline(
      ["harness/narrow.wgsl"],
      { DIGIT_BITS: this.#way.DIGIT_BITS },
      ["storage", "storage"],
    );
    await this.#gpu.guard("narrow", () => {
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      const bindings = this.buffers.map((buffer) => ({ buffer }));
      run(device, encoder, pipeline, bindings, [this.#count]);
      device.queue.submit([encoder.finish()]);
    });
  }

  /** Number of elements that each search counted with a score of 0. */
  async zeros(): Promise<readonly number[]> {
    return (await this.#read()).map((words) => words[FIELD.zeros]!);
  }

  /** What each search found; null where one has not ended. */
  async found(): Promise<readonly Found[] | null> {
    const all = await this.#read();
    if (all.some((words) => words[FIELD.stage] !== STAGE.done)) return null;
    return all.map((words) => {
      const place = words[FIELD.place]!;
      return {
        bits: words[FIELD.bits]!,
        last: words[FIELD.tied] === 1 ? 2 ** this.#placeBits - 1 - place : null,
      };
    });
  }

  async #read(): Promise<readonly Uint32Array[]> {
    const { device } = this.#gpu;
    const bytes = 4 * WORDS * this.#count;
    const words = await this.#gpu.guard("found", () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#searches, 0, this.#readback, 0, bytes);
      device.queue.submit([encoder.finish()]);
      return readMapped(this.#readback, bytes, (mapped) => new Uint32Array(mapped.slice(0)));
    });
    return Array.from({ length: this.#count }, (_, i) =>
      words.subarray(WORDS * i, WORDS * (i + 1)),
    );
  }

  release(): void {
    this.#scope.release();
  }

  #allocate(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.#scope.keep(this.#gpu.pool.allocate(label, byteLength, usage)).buffer;
  }
}
