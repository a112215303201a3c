import type { OutputDType } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { Gpu } from "../device.ts";
import { ResourceScope } from "../resourceScope.ts";
import type { ShaderConstants } from "../shaderConstants.ts";
import { readMapped, run } from "./dispatch.ts";
import { COUNTING, type RadixSelection } from "./radixSelection.ts";
import type { Rule, SumRule, TileDerivation } from "./rule.ts";
import { slotBytes } from "./slotBytes.ts";
import { countPartials } from "./sums.ts";
import {
  joinRows,
  packSegments,
  partsOf,
  rowsOf,
  TILE_HEADER_BYTES,
  type TileInput,
  type TileRange,
  tileConstants,
  tileHeader,
  tileUniformBytes,
} from "./tileInput.ts";
import { BLOCK_ELEMENTS, BLOCK_ROWS, type TileNeeds } from "./tiling.ts";

/** Workgroups of a dispatch along one axis, at most. */
const MOST_GROUPS = 65_535;
/** Digits of four bits of a magnitude: 15 bits in the narrow dtypes, 31 in float32. */
const PASSES = { BF16: 4, F16: 4, F32: 8 } as const;

const ELEMENTWISE = [
  "read-only-storage",
  "read-only-storage",
  "uniform",
  "storage",
  "storage",
] as const;
const BLOCKWISE = ["read-only-storage", "read-only-storage", "uniform", "storage"] as const;
const QUADS_PER_GROUP = 64;
/** Lanes of a block in shaders/harness/blockwise.wgsl. */
const BLOCK_LANES = 64;
/** How often sums take their place on a software adapter: once for each lane, and joined. */
export const LANE_COPIES = BLOCK_LANES + 1;

/** A tile on the GPU, without its bytes. */
interface Held extends TileRange {
  readonly key: string;
  readonly arithmetic: OutputDType | undefined;
  readonly formats: readonly WeightFormat[];
  /** Where derived values begin in the arena. */
  readonly derivedOffsets: readonly number[];
  isDerived: boolean;
}

/**
 * GPU buffers of one tile. Rules run over the tile that a slot holds, as often as they like: it is
 * uploaded once. A slot serves one tile at a time; several slots overlap.
 */
export class TileSlot {
  readonly #gpu: Gpu;
  readonly #scope = new ResourceScope();
  readonly #arena: GPUBuffer;
  readonly #constants: GPUBuffer;
  readonly #uniform: GPUBuffer;
  readonly #output: GPUBuffer;
  readonly #nonfinite: GPUBuffer;
  readonly #readback: GPUBuffer;
  readonly #scratchBytes: number;
  #scratch: GPUBuffer | null = null;
  #held: Held | null = null;
  /** Whether work was submitted that nobody has waited for. */
  #isBusy = false;

  constructor(gpu: Gpu, needs: TileNeeds, tileElements: number) {
    this.#gpu = gpu;
    const bytes = slotBytes(needs, tileElements);
    this.#scratchBytes = bytes.scratch;
    const { STORAGE, COPY_DST, COPY_SRC, UNIFORM, MAP_READ } = GPUBufferUsage;
    const allocate = this.#allocate.bind(this);
    const layoutBytes = tileUniformBytes(needs.segments);
    try {
      this.#arena = allocate("tile", bytes.arena, STORAGE | COPY_DST);
      this.#constants = allocate("constants", bytes.constants, STORAGE | COPY_DST);
      this.#uniform = allocate("tile layout", layoutBytes, UNIFORM | COPY_DST);
      this.#output = allocate("merged tile", bytes.output, STORAGE | COPY_SRC);
      this.#nonfinite = allocate("nonfinite count", 4, STORAGE | COPY_SRC | COPY_DST);
      this.#readback = allocate("readback", bytes.readback, MAP_READ | COPY_DST);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Uploads what `read` gives, unless the slot holds the tile called `key` already. */
  async hold(key: string, read: () => Promise<TileInput>): Promise<void> {
    if (this.#held?.key === key) return;
    this.#held = null;
    const tile = await read();
    const { queue } = this.#gpu.device;
    // Uploads that pile up before the GPU gets to them would fill the memory.
    if (this.#isBusy) await queue.onSubmittedWorkDone();
    this.#isBusy = false;
    const { words, segments, derivedOffsets } = packSegments(tile);
    await this.#gpu.guard("upload", () => {
      for (const { offset, bytes } of segments) queue.writeBuffer(this.#arena, offset, bytes);
      queue.writeBuffer(this.#uniform, 0, tileHeader(tile));
      queue.writeBuffer(this.#uniform, TILE_HEADER_BYTES, words);
    });
    const { first, elementCount, layout, arithmetic } = tile;
    const formats = tile.segments.map(({ format }) => format);
    const range = { first, elementCount, layout };
    const isDerived = tile.derivedBytes !== undefined;
    this.#held = { key, ...range, arithmetic, formats, derivedOffsets, isDerived };
  }

  /** Derives values of the tile, which follow its models for the rules that see them. */
  async derive({ rule, lines, models, hasBase }: TileDerivation): Promise<void> {
    const tile = this.#tile;
    if (tile.isDerived) return;
    const { arithmetic = "F32" } = tile;
    this.#scratch ??= this.#allocate("scratch", this.#scratchBytes, GPUBufferUsage.STORAGE);
    const scratch = this.#scratch;
    const pipeline = await this.#gpu.pipeline(
      [`derive/${rule}.wgsl`],
      { ...this.#link({ hasBase }, "F32"), PASSES: PASSES[arithmetic] },
      ELEMENTWISE,
    );
    const { rows, padded } = rowsOf(tile);
    const count = tile.elementCount / lines.length;
    const groups = [Math.min(count, MOST_GROUPS), Math.ceil(count / MOST_GROUPS)];
    await this.#gpu.guard(rule, () => {
      this.#setConstants([lines.length, lines.stride, count]);
      const { device } = this.#gpu;
      for (let model = 0; model < models; model++) {
        device.queue.writeBuffer(this.#uniform, 0, tileHeader(tile, { model }));
        const encoder = device.createCommandEncoder();
        this.#dispatch(encoder, pipeline, [this.#output, scratch], groups);
        const at = tile.derivedOffsets[model]!;
        encoder.copyBufferToBuffer(this.#output, 0, this.#arena, at, 4 * rows * padded);
        device.queue.submit([encoder.finish()]);
      }
      this.#isBusy = true;
    });
    tile.isDerived = true;
  }

  /** The tile that the slot holds. */
  get tile(): TileRange {
    return this.#tile;
  }

  get #tile(): Held {
    invariant(this.#held, "a rule runs over a tile that is held");
    return this.#held;
  }

  /** Linked constants of the tile for a rule. */
  #link(
    { hasBase, seesDerived, linked }: Pick<Rule, "hasBase" | "seesDerived" | "linked">,
    output: OutputDType,
    each = 0,
  ): ShaderConstants {
    const { formats, layout, arithmetic, derivedOffsets } = this.#tile;
    const derived = seesDerived ? derivedOffsets.map(() => PLAIN_FORMATS.F32) : [];
    const { software } = this.#gpu;
    const about = { part: layout.part, each, arithmetic, software, derived: derived.length };
    return { ...tileConstants([...formats, ...derived], hasBase, output, about), ...linked };
  }

  /** Merged elements as stored bytes, and the number of quads that hold a NaN or an infinity. */
  async merge(
    rule: Rule,
    output: OutputDType,
  ): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly nonfinite: number }> {
    const tile = this.#tile;
    const { part } = tile.layout;
    const parts = partsOf(tile).count;
    const each = part === "tensor" ? 0 : rule.constants.length / parts;
    const pipeline = await this.#gpu.pipeline(
      ["harness/elementwise.wgsl", `merge/${rule.rule}.wgsl`],
      this.#link(rule, output, each),
      ELEMENTWISE,
    );
    const rows = rowsOf(tile);
    const elements = rows.rows * rows.padded;
    const byteLength = Math.ceil(formatBytes(PLAIN_FORMATS[output], elements) / 4) * 4;
    await this.#gpu.guard(rule.rule, () => {
      // Padding columns get constants of 0.
      const filling = part === "column" ? each * (rows.padded - rows.length) : 0;
      this.#setConstants(rule.constants, filling);
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
  async reduce(rule: SumRule, unit = 1): Promise<Float32Array<ArrayBuffer>> {
    const tile = this.#tile;
    const inColumns = tile.layout.part === "column";
    // Barriers are dear where a lane is a turn of a loop: there, the lanes' sums are joined after.
    const joins = tile.layout.part === "tensor" && this.#gpu.software;
    const { rows, length, padded } = rowsOf(tile);
    const harness = inColumns ? "columnwise" : "blockwise";
    const constants = { ...this.#link(rule, "F32"), ROWS: rule.rows };
    const pipeline = await this.#gpu.pipeline(
      [`harness/${harness}.wgsl`, `reduce/${rule.rule}.wgsl`],
      inColumns ? constants : { ...constants, PADDED: length % 4 !== 0, LANE_SUMS: joins },
      BLOCKWISE,
    );
    const join = joins
      ? await this.#gpu.pipeline(["harness/join_lanes.wgsl"], {}, ["storage"])
      : null;
    const groups = inColumns
      ? [Math.ceil(padded / (4 * QUADS_PER_GROUP)), Math.ceil(rows / BLOCK_ROWS)]
      : [rows * Math.ceil(padded / BLOCK_ELEMENTS)];
    const byteLength = 4 * countPartials(tile, rule.rows);
    await this.#gpu.guard(rule.rule, () => {
      this.#setConstants(rule.constants);
      const { device } = this.#gpu;
      device.queue.writeBuffer(this.#uniform, 0, tileHeader(tile, { unit }));
      const encoder = device.createCommandEncoder();
      this.#dispatch(encoder, pipeline, [this.#output], groups);
      if (join) {
        const size = LANE_COPIES * byteLength;
        const partials = byteLength / 16;
        run(device, encoder, join, [{ buffer: this.#output, size }], [Math.ceil(partials / 64)]);
      }
      const from = join ? BLOCK_LANES * byteLength : 0;
      encoder.copyBufferToBuffer(this.#output, from, this.#readback, 0, byteLength);
      device.queue.submit([encoder.finish()]);
    });
    return this.#read(byteLength, (mapped) => new Float32Array(mapped.slice(0, byteLength)));
  }

  /** Counts the tile's elements for a selection. */
  async count(selection: RadixSelection): Promise<void> {
    const { rows, length } = rowsOf(this.#tile);
    const pipeline = await this.#gpu.pipeline(
      ["harness/count.wgsl", `score/${selection.rule}.wgsl`],
      {
        ...this.#link(selection, "F32"),
        ...selection.linked,
        PADDED: rows > 1 && length % 4 !== 0,
      },
      COUNTING,
    );
    await this.#gpu.guard(selection.rule, () => {
      const { device } = this.#gpu;
      const encoder = device.createCommandEncoder();
      const groups = selection.groupsOf(this.#tile);
      this.#dispatch(encoder, pipeline, selection.buffers, groups);
      device.queue.submit([encoder.finish()]);
      this.#isBusy = true;
    });
  }

  release(): void {
    this.#scope.release();
  }

  #allocate(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.#scope.keep(this.#gpu.pool.allocate(label, byteLength, usage)).buffer;
  }

  #setConstants(constants: Rule["constants"], filling = 0): void {
    if (constants.length === 0) return;
    const filled = new Float32Array(constants.length + filling);
    filled.set(constants);
    this.#gpu.device.queue.writeBuffer(this.#constants, 0, filled);
  }

  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    outputs: readonly GPUBuffer[],
    groups: readonly number[],
  ): void {
    const buffers = [this.#arena, this.#constants, this.#uniform, ...outputs];
    const bindings = buffers.map((buffer) => ({ buffer }));
    run(this.#gpu.device, encoder, pipeline, bindings, groups);
  }

  async #read<T>(byteLength: number, take: (mapped: ArrayBuffer) => T): Promise<T> {
    const taken = await this.#gpu.guard("readback", () =>
      readMapped(this.#readback, byteLength, take),
    );
    this.#isBusy = false;
    return taken;
  }
}
