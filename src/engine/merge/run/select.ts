import { invariant } from "../../core/invariant.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import type { TileInput } from "../../gpu/tiles/tileInput.ts";
import type { HistogramKey, TileSlot } from "../../gpu/tiles/tileSlot.ts";
import { BLOCK_ELEMENTS, cutTiles, type Tile, wholeTensor } from "../../gpu/tiles/tiling.ts";
import type { Cut, Selection } from "../method.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";
import type { TileSession } from "./session.ts";
import { readTile } from "./tileInput.ts";

/** Scores are not negative: of their 31 bits the upper 16 are counted first, then the lower 15. */
const LOWER_BITS = 15;
const EVERYWHERE = 2 ** 32 - 1;

/** Passes over a tensor that a selection takes at most. */
export const SELECT_PASSES = 3;

/** A model's scores, below which bits they are looked at: constants of shaders/harness/histogram.wgsl. */
interface Question {
  readonly model: number;
  readonly constants: readonly [upper: number, lower: number];
}

export interface SelectOptions {
  readonly signal: AbortSignal;
  /** Elements that were gone through, in every pass anew. */
  onElements?(count: number): void;
}

/**
 * The largest elements of a tensor by a score, for every fraction of every model: exact at any size, in tiles; of equal
 * scores the first are kept. A radix selection: one pass counts by the upper bits of the score and one
 * by the lower bits below the upper ones it found; where several have the last kept score, one more
 * finds up to which place they are kept.
 */
export async function selectLargest(
  session: TileSession,
  output: OutputTensor,
  selection: Selection,
  options: SelectOptions,
): Promise<readonly (readonly Cut[])[]> {
  const { elementCount } = output;
  const counter = openCounter(session, output, selection.rule, options);
  const models = selection.shared ? [0] : output.models.map((_, m) => m);
  const upper = await counter.sum(
    "upper",
    models.map((model) => ({ model, constants: [0, 0] })),
  );
  const candidates = models.map(() => elementCount);
  if (selection.of === "positive") {
    // Beside 0, scores below 2^-111 have no upper bits either.
    const nearZero = models.map((model): Question => ({ model, constants: [0, 0] }));
    const lowest = await counter.sum("lower", nearZero);
    for (const i of models.keys()) candidates[i]! -= lowest[i]![0]!;
  }
  const searches = models.flatMap((model, i) =>
    selection.fractions[model]!.map((stated) => {
      const fraction = Math.min(1, stated);
      const least = fraction > 0 ? Math.min(selection.least ?? 0, candidates[i]!) : 0;
      const kept = Math.max(least, Math.trunc(fraction * candidates[i]!));
      const { bin, left } = findFromTop(upper[i]!, kept);
      return { kept, left, question: { model, constants: [bin, 0] } satisfies Question };
    }),
  );
  const open = searches.filter(({ kept }) => kept > 0 && kept < elementCount);
  const lower = await counter.sum(
    "lower",
    open.map(({ question }) => question),
  );
  const cuts: Cut[][] = models.map(() => []);
  for (const search of searches) {
    const { kept, left, question } = search;
    const bins = lower[open.indexOf(search)];
    const own = cuts[models.indexOf(question.model)]!;
    if (!bins) {
      own.push({ kept, bits: kept > 0 ? 0 : 2 ** 31 - 1, before: kept > 0 ? EVERYWHERE : 0 });
      continue;
    }
    const last = findFromTop(bins, left);
    const [bin] = question.constants;
    const tied: Question = { ...question, constants: [bin, last.bin] };
    const all = last.left === bins[last.bin];
    const before = all ? EVERYWHERE : await counter.placeAfter(tied, last.left);
    own.push({ kept, bits: bin * 2 ** LOWER_BITS + last.bin, before });
  }
  return selection.shared ? output.models.map(() => cuts[0]!) : cuts;
}

/** Counts the elements of a tensor by score. */
function openCounter(
  { slots, tileElements }: TileSession,
  output: OutputTensor,
  rule: string,
  { signal, onElements }: SelectOptions,
) {
  const layout = wholeTensor(output.elementCount);
  const tiles = [...cutTiles(layout, tileElements)];
  /** A tensor of one tile is read once for all passes. */
  let only: Promise<TileInput> | undefined;
  const read = (tile: Tile): Promise<TileInput> => {
    if (tiles.length > 1) return readTile(output, tile, layout);
    only ??= readTile(output, tile, layout);
    return only;
  };

  async function* count(key: HistogramKey, questions: readonly Question[]) {
    yield* mapOrdered(tiles.values(), slots.length, async (tile, slot) => {
      signal.throwIfAborted();
      const input = await read(tile);
      const bins: Uint32Array[] = [];
      for (const { model, constants } of questions) {
        bins.push(
          await (slots[slot] as TileSlot).histogram(input, { rule, constants }, { key, model }),
        );
      }
      onElements?.(tile.count);
      return { tile, bins };
    });
  }

  return {
    /** One histogram over the whole tensor for each question. */
    async sum(key: HistogramKey, questions: readonly Question[]): Promise<Float64Array[]> {
      const totals = questions.map(() => new Float64Array(2 ** 16));
      if (questions.length === 0) return totals;
      for await (const { bins } of count(key, questions)) {
        for (const [i, some] of bins.entries()) {
          const total = totals[i]!;
          for (const [bin, found] of some.entries()) total[bin]! += found;
        }
      }
      return totals;
    },
    /** The place after the n-th element with exactly the score that is asked for. */
    async placeAfter(question: Question, n: number): Promise<number> {
      let left = n;
      let first: number | null = null;
      for await (const { tile, bins } of count("block", [question])) {
        const block = findFromBottom(bins[0]!, left);
        left = block.left;
        if (block.bin === null) continue;
        first = tile.first + block.bin * BLOCK_ELEMENTS;
        break;
      }
      invariant(first !== null, "the score occurs as often as it was counted");
      const elements = Math.min(BLOCK_ELEMENTS, output.elementCount - first);
      const input = await readTile(output, { first, count: elements }, layout);
      const { model, constants } = question;
      const slot = slots[0] as TileSlot;
      const places = await slot.histogram(input, { rule, constants }, { key: "place", model });
      const place = findFromBottom(places, left).bin;
      invariant(place !== null, "the block holds as many as were counted in it");
      return first + place + 1;
    },
  };
}

/** The bin of the n-th element from the top, and how many of that bin's are among the n. */
function findFromTop(
  bins: Float64Array,
  n: number,
): { readonly bin: number; readonly left: number } {
  let left = n;
  for (let bin = bins.length - 1; bin >= 0; bin--) {
    if (bins[bin]! >= left) return { bin, left };
    left -= bins[bin]!;
  }
  throw new Error("Broken promise: no more elements are asked for than there are");
}

/** The same from the bottom; without a bin where there are fewer. */
function findFromBottom(bins: Uint32Array, n: number) {
  let left = n;
  for (let bin = 0; bin < bins.length; bin++) {
    if (bins[bin]! >= left) return { bin, left };
    left -= bins[bin]!;
  }
  return { bin: null, left };
}
