import type { Gpu } from "../../gpu/device.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import type { TileDerivation } from "../../gpu/tiles/rule.ts";
import type { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import {
  countTiles,
  cutTiles,
  type Layout,
  TILE_SLOTS,
  type Tile,
} from "../../gpu/tiles/tiling.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";
import { deriveLines, type LineDerivation } from "./derive.ts";
import { readTile } from "./tileInput.ts";

export interface PassOptions {
  readonly signal: AbortSignal;
  /** Called with the number of elements of each tile that is done. */
  onElements?(count: number): void;
}

/** Values that are derived of a tensor's tiles: by a rule on the GPU, or line by line on the CPU. */
export type TensorDerivation = TileDerivation | (LineDerivation & Pick<TileDerivation, "lines">);

/** What a tensor has taken. */
interface TilesOfTensor {
  readonly gpu: Gpu;
  readonly output: OutputTensor;
  readonly slots: readonly TileSlot[];
  readonly tileElements: number;
  readonly whole: Layout;
  /** What is derived of tiles in the layout of its lines. */
  readonly derivation: TensorDerivation | null;
}

/**
 * A tensor's tiles in the slots that it has taken. With a slot for each tile, a tile is read and
 * uploaded when it is first asked for and stays; with fewer, every pass reads it again.
 */
export class TensorTiles {
  readonly gpu: Gpu;
  readonly output: OutputTensor;
  /** Layout for sums over the whole tensor. */
  readonly whole: Layout;
  readonly #slots: readonly TileSlot[];
  readonly #tileElements: number;
  readonly #derivation: TensorDerivation | null;
  readonly #giveBack: () => void;

  constructor(about: TilesOfTensor, giveBack: () => void) {
    this.gpu = about.gpu;
    this.output = about.output;
    this.whole = about.whole;
    this.#slots = about.slots;
    this.#tileElements = about.tileElements;
    this.#derivation = about.derivation;
    this.#giveBack = giveBack;
  }

  /** What `work` makes of each tile in order, from the one that holds element `from` on. */
  async *each<R>(
    layout: Layout,
    { signal, onElements }: PassOptions,
    work: (slot: TileSlot, tile: Tile) => Promise<R>,
    from = 0,
  ): AsyncGenerator<R, void, undefined> {
    const limit = Math.min(TILE_SLOTS, this.#slots.length);
    const tiles = [...cutTiles(layout, this.#tileElements)].map((tile, i) => ({ tile, i }));
    const asked = tiles.filter(({ tile }) => tile.first + tile.count > from);
    yield* mapOrdered(asked, limit, async ({ tile, i }) => {
      signal.throwIfAborted();
      const slot = this.#slots[i % this.#slots.length] as TileSlot;
      const { name } = this.output;
      const derivation = this.#derivationIn(layout);
      const key = JSON.stringify([name, layout, tile]);
      await slot.hold(key, () => this.#read(tile, layout, derivation));
      if (derivation && "rule" in derivation) await slot.derive(derivation);
      const made = await work(slot, tile);
      onElements?.(tile.count);
      return made;
    });
  }

  /** Whether no tile of a layout makes room for another. */
  stayIn(layout: Layout): boolean {
    return countTiles(layout, this.#tileElements) <= this.#slots.length;
  }

  async #read(tile: Tile, layout: Layout, derivation: TensorDerivation | null) {
    const input = await readTile(this.output, tile, layout, derivation?.models);
    if (!derivation || "rule" in derivation) return input;
    const derivedBytes = deriveLines(this.output, input, derivation, derivation.lines.length);
    return { ...input, derivedBytes };
  }

  #derivationIn({ part, rows, rowLength }: Layout): TensorDerivation | null {
    const lines = this.#derivation?.lines.layout;
    if (lines?.part !== part || lines.rows !== rows || lines.rowLength !== rowLength) return null;
    return this.#derivation;
  }

  release(): void {
    this.#giveBack();
  }
}
