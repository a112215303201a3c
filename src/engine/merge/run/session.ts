import { byteLength } from "../../core/tensor/dtype.ts";
import type { Gpu } from "../../gpu/device.ts";
import { LANE_COPIES, TileSlot } from "../../gpu/tiles/tileSlot.ts";
import {
  BLOCK_ELEMENTS,
  BLOCK_ROWS,
  chooseSlots,
  chooseTileElements,
  countTiles,
  type Layout,
  paddedRow,
  TILE_SLOTS,
  type TileNeeds,
  wholeBlocks,
} from "../../gpu/tiles/tiling.ts";
import { readingsOf } from "../plan/estimate.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import {
  layoutOf,
  linesOf,
  modelsSeen,
  ownRule,
  reductionOf,
  seesBase,
  wholeLayoutOf,
} from "./rules.ts";
import { type TensorDerivation, TensorTiles } from "./tensorTiles.ts";
import { readBytesPerElement, sourcesOf } from "./tileInput.ts";

/** Two words of a radix sort, twice. */
const SORT_BYTES = 16;

/** Constants of a row or column that rules may have even of two models. */
const LEAST_CONSTANTS = 3;

/** Four sums in float32. */
const SUM_BYTES = 16;

/** Bytes of partial sums per element of a tile, for one row of sums. */
function sumBytesPerElement({ part, rows, rowLength }: Layout): number {
  const padded = Math.max(paddedRow(rowLength), 1);
  if (part === "column") return SUM_BYTES / Math.min(BLOCK_ROWS, Math.max(rows, 1));
  return (
    (SUM_BYTES * Math.ceil(padded / BLOCK_ELEMENTS)) /
    Math.max(padded, part === "tensor" && rows === 1 ? BLOCK_ELEMENTS : 1)
  );
}

/** Bytes of constants per element of a tile, where rows or columns have constants of their own. */
function constantBytesPerElement({ part, rows, rowLength }: Layout, constants: number): number {
  if (part === "tensor") return 0;
  const elements = part === "row" ? paddedRow(rowLength) : Math.min(BLOCK_ROWS, rows);
  return (4 * constants) / Math.max(elements, 1);
}

/** Number of segments that the method derives of a tensor's tiles. */
const derivedOf = ({ method }: Plan, { resolved }: OutputTensor) =>
  method.derive?.(resolved)?.models ?? 0;

/** What the method derives of a tensor's tiles, or null. */
function derivationOf(plan: Plan, output: OutputTensor): TensorDerivation | null {
  const derivation = plan.method.derive?.(output.resolved) ?? null;
  const lines = linesOf(plan, output);
  if (!derivation || !lines) return null;
  return { ...derivation, lines, hasBase: seesBase(plan, output) };
}

/** Rows of sums of a tensor's rules: its method's own, and one a model for those of the map. */
function mostRows(plan: Plan, output: OutputTensor, inMap: boolean): number {
  const own = reductionOf(plan, output);
  const shown = inMap ? output.models.length : 0;
  return Math.max(shown, own ? ownRule(plan, output, own, []).rows : 0);
}

/** Largest needs of the tiles of a plan's merged tensors. */
function tileNeeds(plan: Plan, inMap: boolean, { pool, device, software }: Gpu): TileNeeds {
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  const merged = plan.outputs.filter(({ action }) => action === "merge");
  const most = (of: (output: OutputTensor) => number, least = 1) =>
    merged.reduce((largest, output) => Math.max(largest, of(output)), least);
  return {
    readBytesPerElement: most(
      (output) => readBytesPerElement(output) + 4 * derivedOf(plan, output),
    ),
    // Derived values are written as float32.
    writeBytesPerElement: most((output) =>
      derivedOf(plan, output) > 0 ? 4 : byteLength(output.dtype, 1),
    ),
    sumBytesPerElement: most((output) => {
      const layouts = [layoutOf(plan, output), ...(inMap ? [wholeLayoutOf(plan, output)] : [])];
      return mostRows(plan, output, inMap) * Math.max(...layouts.map(sumBytesPerElement));
    }, 0),
    laneBytesPerElement: most(
      (output) =>
        software && (inMap || layoutOf(plan, output).part === "tensor")
          ? LANE_COPIES *
            mostRows(plan, output, inMap) *
            sumBytesPerElement(wholeLayoutOf(plan, output))
          : 0,
      0,
    ),
    constantBytesPerElement: most(
      (output) =>
        constantBytesPerElement(
          layoutOf(plan, output),
          Math.max(LEAST_CONSTANTS, modelsSeen(plan, output)),
        ),
      0,
    ),
    scratchBytesPerElement: most((output) => (derivedOf(plan, output) > 0 ? SORT_BYTES : 0), 0),
    segments: most((output) => sourcesOf(output).length + derivedOf(plan, output)),
    longest: most((output) => {
      const { rows, rowLength } = layoutOf(plan, output);
      return rows * paddedRow(rowLength);
    }),
    leastElements: most((output) => {
      const { part, rowLength } = layoutOf(plan, output);
      if (part === "column") return BLOCK_ROWS * paddedRow(rowLength);
      return derivedOf(plan, output) > 0 ? paddedRow(rowLength) : 1;
    }),
    budgetBytes: pool.budgetBytes - pool.usedBytes,
    bindingBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  };
}

/** What tests may ask for; results do not depend on it. */
export interface TileLimits {
  /** Length of tiles in elements, below what the budget allows. */
  readonly tileElements?: number;
  /** Most slots at once, below what the budget allows. */
  readonly slots?: number;
}

/** Tile slots of a plan on one device, which its tensors take in turn. */
export class TileSession {
  readonly gpu: Gpu;
  readonly #plan: Plan;
  readonly #needs: TileNeeds;
  readonly #tileElements: number;
  readonly #most: number;
  readonly #all: TileSlot[] = [];
  #free: TileSlot[] = [];
  /** Those who wait for slots, in their order. */
  readonly #waiting: (() => void)[] = [];

  constructor(gpu: Gpu, plan: Plan, inMap: boolean, limits: TileLimits) {
    this.gpu = gpu;
    this.#plan = plan;
    this.#needs = tileNeeds(plan, inMap, gpu);
    const length = limits.tileElements ?? chooseTileElements(this.#needs);
    this.#tileElements = Math.max(length, wholeBlocks(this.#needs.leastElements));
    this.#most = limits.slots ?? chooseSlots(this.#needs, this.#tileElements);
  }

  /**
   * A tensor's tiles: one slot for each where all fit and are needed more than once, else a few
   * slots that are used in turn. Waits until as many slots are free.
   */
  async take(output: OutputTensor): Promise<TensorTiles> {
    const layouts = [layoutOf(this.#plan, output), wholeLayoutOf(this.#plan, output)];
    const tiles = Math.max(...layouts.map((each) => countTiles(each, this.#tileElements)));
    const stays = readingsOf(this.#plan.method, output).passes > 1 && tiles <= this.#most;
    const count = stays ? Math.max(tiles, 1) : Math.min(Math.max(tiles, 1), TILE_SLOTS);
    while (this.#free.length + this.#most - this.#all.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    while (this.#free.length < count) {
      const made = new TileSlot(this.gpu, this.#needs, this.#tileElements);
      this.#all.push(made);
      this.#free.push(made);
    }
    const slots = this.#free.splice(0, count);
    const about = {
      gpu: this.gpu,
      output,
      slots,
      tileElements: this.#tileElements,
      whole: wholeLayoutOf(this.#plan, output),
      derivation: derivationOf(this.#plan, output),
    };
    return new TensorTiles(about, () => {
      this.#free.push(...slots);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  release(): void {
    for (const slot of this.#all) slot.release();
  }
}
