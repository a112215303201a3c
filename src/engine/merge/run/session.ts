import { byteLength } from "../../core/tensor/dtype.ts";
import type { Gpu } from "../../gpu/device.ts";
import { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import { chooseTileElements, TILE_SLOTS, type TileNeeds } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";
import { readBytesPerElement, sourcesOf } from "./tileInput.ts";

/** What tiles of a plan's merged tensors need at the most. */
function tileNeeds(
  outputs: readonly OutputTensor[],
  limits: { readonly budgetBytes: number; readonly bindingBytes: number },
): TileNeeds {
  const merged = outputs.filter(({ action }) => action === "merge");
  const most = (of: (output: OutputTensor) => number) =>
    merged.reduce((largest, output) => Math.max(largest, of(output)), 1);
  return {
    readBytesPerElement: most(readBytesPerElement),
    writeBytesPerElement: most(({ dtype }) => byteLength(dtype, 1)),
    models: most((output) => sourcesOf(output).length),
    longest: most(({ elementCount }) => elementCount),
    ...limits,
  };
}

/** The slots that a plan's tiles go through on one device, and how long its tiles are. */
export interface TileSession {
  readonly slots: readonly TileSlot[];
  readonly tileElements: number;
  release(): void;
}

/** Allocates the slots. A test may ask for shorter tiles: results must not depend on it. */
export function openTileSession(
  gpu: Gpu,
  outputs: readonly OutputTensor[],
  tileElements?: number,
): TileSession {
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const needs = tileNeeds(outputs, {
    budgetBytes: gpu.pool.budgetBytes - gpu.pool.usedBytes,
    bindingBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  });
  const length = tileElements ?? chooseTileElements(needs);
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
