import { byteLength } from "../../core/tensor/dtype.ts";
import type { Gpu } from "../../gpu/device.ts";
import { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import {
  BLOCK_ELEMENTS,
  BLOCK_ROWS,
  chooseTileElements,
  type Layout,
  paddedRow,
  TILE_SLOTS,
  type TileNeeds,
  wholeBlocks,
} from "../../gpu/tiles/tiling.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import type { Missing } from "./missing.ts";
import { layoutOf, modelsSeen, ownRule, reductionOf, wholeLayoutOf } from "./rules.ts";
import { readBytesPerElement, sourcesOf } from "./tileInput.ts";

/** A tensor to read in tiles, with the rules to run over them. */
type Work = Pick<Missing, "output"> & Partial<Pick<Missing, "rules">>;

/** Two words of a radix sort, twice. */
const SORT_BYTES = 16;

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

/** Largest needs of the tiles of a plan's merged tensors. */
function tileNeeds(
  plan: Plan,
  work: readonly Work[],
  limits: { readonly budgetBytes: number; readonly bindingBytes: number },
): TileNeeds {
  const merged = work.filter(({ output }) => output.action === "merge");
  const most = (of: (output: OutputTensor, rules: Work["rules"]) => number, least = 1) =>
    merged.reduce((largest, { output, rules }) => Math.max(largest, of(output, rules)), least);
  return {
    readBytesPerElement: most(
      (output) => readBytesPerElement(output) + 4 * derivedOf(plan, output),
    ),
    // Derived values are written as float32.
    writeBytesPerElement: most((output) =>
      derivedOf(plan, output) > 0 ? 4 : byteLength(output.dtype, 1),
    ),
    sumBytesPerElement: most((output, rules = []) => {
      const whole = sumBytesPerElement(wholeLayoutOf(plan, output));
      const layout = layoutOf(plan, output);
      const own = layout.part === "tensor" ? null : reductionOf(plan, output);
      const inParts = own ? ownRule(plan, output, own, []).rows * sumBytesPerElement(layout) : 0;
      return Math.max(inParts, ...rules.map(({ rows }) => rows * whole));
    }, 0),
    constantBytesPerElement: most(
      (output) => constantBytesPerElement(layoutOf(plan, output), modelsSeen(plan, output)),
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
    ...limits,
  };
}

/** Tile slots of a plan on one device, and the length of its tiles. */
export interface TileSession {
  readonly slots: readonly TileSlot[];
  readonly tileElements: number;
  release(): void;
}

/** Allocates the tile slots. Tests may ask for shorter tiles: results do not depend on it. */
export function openTileSession(
  gpu: Gpu,
  plan: Plan,
  work: readonly Work[],
  tileElements?: number,
): TileSession {
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const needs = tileNeeds(plan, work, {
    budgetBytes: gpu.pool.budgetBytes - gpu.pool.usedBytes,
    bindingBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  });
  const length = Math.max(
    tileElements ?? chooseTileElements(needs),
    wholeBlocks(needs.leastElements),
  );
  const slots: TileSlot[] = [];
  const release = () => {
    for (const slot of slots) slot.release();
  };
  try {
    while (slots.length < TILE_SLOTS) slots.push(new TileSlot(gpu, needs, length));
  } catch (error) {
    release();
    throw error;
  }
  return { slots, tileElements: length, release };
}
