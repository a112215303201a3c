/**
 * Reductions sum fixed blocks of this many elements (shaders/harness/blockwise.wgsl). Tiles begin on
 * block edges, so that the cut never shows in a result.
 */
export const BLOCK_ELEMENTS = 2048;

/** Tiles under way at once: one being read, one on the GPU, one being written. */
export const TILE_SLOTS = 3;

/**
 * Larger tiles gain nothing: a dispatch is long paid for by then. With four times as many elements a
 * merge took a quarter more processor time (fresh pages, colder caches) and twice the memory.
 */
const MAX_TILE_ELEMENTS = 2 ** 20;

/** A stretch of a tensor, in elements. */
export interface Tile {
  readonly first: number;
  readonly count: number;
}

export interface TileNeeds {
  /** Bytes of all models' stored elements at one place of the tensor. */
  readonly readBytesPerElement: number;
  readonly writeBytesPerElement: number;
  readonly models: number;
  /** Elements of the longest tensor. */
  readonly longest: number;
  readonly budgetBytes: number;
  /** The smaller of the device's binding and buffer limits. */
  readonly bindingBytes: number;
}

/** Bytes of GPU memory that one slot takes for each element of its tile. */
export function slotBytesPerElement(needs: TileNeeds): number {
  const partials = (16 * needs.models) / BLOCK_ELEMENTS;
  // What is written lies on the GPU once and once more where the host reads it.
  return needs.readBytesPerElement + 2 * (needs.writeBytesPerElement + partials);
}

/** How many elements a tile holds: the most that budget and limits allow, on whole blocks. */
export function chooseTileElements(needs: TileNeeds): number {
  const most = Math.min(
    MAX_TILE_ELEMENTS,
    needs.budgetBytes / (TILE_SLOTS * slotBytesPerElement(needs)) - BLOCK_ELEMENTS,
    needs.bindingBytes / Math.max(needs.readBytesPerElement, 4),
    Math.ceil(needs.longest / BLOCK_ELEMENTS) * BLOCK_ELEMENTS,
  );
  return Math.max(1, Math.floor(most / BLOCK_ELEMENTS)) * BLOCK_ELEMENTS;
}

/** The tiles of a tensor from the block that holds element `from` on. */
export function* cutTiles(
  elementCount: number,
  tileElements: number,
  from = 0,
): Generator<Tile, void, undefined> {
  const start = Math.floor(from / BLOCK_ELEMENTS) * BLOCK_ELEMENTS;
  for (let first = start; first < elementCount; first += tileElements) {
    yield { first, count: Math.min(tileElements, elementCount - first) };
  }
}
