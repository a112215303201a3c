import { invariant } from "../../core/invariant.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import type { TileInput } from "../../gpu/tiles/tileInput.ts";
import type { HistogramKey, TileSlot } from "../../gpu/tiles/tileSlot.ts";
import { BLOCK_ELEMENTS, cutTiles, type Tile } from "../../gpu/tiles/tiling.ts";
import type { Cut, Selection } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { withDerived } from "./derive.ts";
import { wholeLayoutOf } from "./rules.ts";
import type { TileSession } from "./session.ts";
import { readTile } from "./tileInput.ts";

/**
 * Number of low bits counted in the second pass: a non-negative score has 31 bits, of which the
 * first pass counts the upper 16.
 */
const LOWER_BITS = 15;
const EVERYWHERE = 2 ** 32 - 1;

/** Largest number of passes over a tensor that a selection takes. */
export const SELECT_PASSES = 3;

/**
 * A histogram to count: a model's scores, restricted by bit pattern; constants of
 * shaders/harness/histogram.wgsl.
 */
interface Question {
  readonly key: HistogramKey;
  readonly model: number;
  readonly constants: readonly [upper: number, lower: number];
}

/** A search for the n-th of the elements that have one score. */
interface TiedSearch {
  readonly tied: Question;
  readonly n: number;
}

export interface SelectOptions {
  readonly signal: AbortSignal;
  /** Called with the number of elements read since the last call, or spared by a pass that is not needed. */
  onElements?(count: number): void;
}

/**
 * Selects the largest elements of a tensor by score, for every count of every model; exact at
 * any size, in tiles, the first of equal scores being kept. A radix selection: one pass counts the
 * upper bits of the scores, one the lower bits within the bin found, and where scores tie at the
 * threshold a third finds the index up to which they are kept; each pass serves all models.
 */
export async function selectLargest(
  plan: Pick<Plan, "method">,
  session: TileSession,
  output: OutputTensor,
  selection: Selection,
  options: SelectOptions,
): Promise<readonly (readonly Cut[])[]> {
  const { elementCount } = output;
  let told = 0;
  const onElements = (count: number) => {
    told += count;
    options.onElements?.(count);
  };
  const counter = openCounter(plan, session, output, selection.rule, { ...options, onElements });
  const models = selection.shared ? [0] : output.models.map((_, m) => m);
  const ask = (key: HistogramKey) =>
    models.map((model): Question => ({ key, model, constants: [0, 0] }));
  // Scores below 2^-111 share the upper bits of 0.
  const nearZero = selection.of === "positive" ? ask("lower") : [];
  const first = await counter.sum([...ask("upper"), ...nearZero]);
  const upper = first.slice(0, models.length);
  const zeros = first.slice(models.length).map((lowest) => lowest[0]!);
  const candidates = models.map((_, i) => elementCount - (zeros[i] ?? 0));
  const searches = models.flatMap((model, i) =>
    selection.counts(candidates[i]!)[model]!.map((kept) => {
      const { bin, left } = findFromTop(upper[i]!, kept);
      return {
        kept,
        left,
        question: { key: "lower", model, constants: [bin, 0] } satisfies Question,
      };
    }),
  );
  const { scoresOnly = false } = selection;
  const open = searches.filter(({ kept }) => kept > 0 && (scoresOnly || kept < elementCount));
  const lower = await counter.sum(open.map(({ question }) => question));
  const lasts = open.map(({ question, left }, i) => {
    const [bin] = question.constants;
    const last = findFromTop(lower[i]!, left);
    const tied: Question = { ...question, key: "block", constants: [bin, last.bin] };
    return { bits: bin * 2 ** LOWER_BITS + last.bin, tied, n: last.left, of: lower[i]![last.bin]! };
  });
  const split = scoresOnly ? [] : lasts.filter(({ n, of }) => n < of);
  const places = await counter.placesAfter(split);
  onElements(SELECT_PASSES * elementCount - told);
  const cuts: Cut[][] = models.map(() => []);
  for (const search of searches) {
    const { kept, question } = search;
    const own = cuts[models.indexOf(question.model)]!;
    const last = lasts[open.indexOf(search)];
    if (last)
      own.push({ kept, bits: last.bits, before: places[split.indexOf(last)] ?? EVERYWHERE });
    else own.push({ kept, bits: kept > 0 ? 0 : 2 ** 31 - 1, before: kept > 0 ? EVERYWHERE : 0 });
  }
  return selection.shared ? output.models.map(() => cuts[0]!) : cuts;
}

/** Opens a histogram counter over the elements of a tensor. */
function openCounter(
  plan: Pick<Plan, "method">,
  { slots, tileElements }: TileSession,
  output: OutputTensor,
  rule: string,
  { signal, onElements }: SelectOptions,
) {
  const layout = wholeLayoutOf(plan, output);
  const tiles = [...cutTiles(layout, tileElements)];
  /** A tensor of one tile is read once for all passes. */
  let only: Promise<TileInput> | undefined;
  const read = (tile: Tile): Promise<TileInput> => {
    if (tiles.length > 1) return readTile(output, tile, layout);
    only ??= readTile(output, tile, layout);
    return only;
  };

  async function* count(questions: readonly Question[]) {
    yield* mapOrdered(tiles.values(), slots.length, async (tile, slot) => {
      signal.throwIfAborted();
      const input = await withDerived(plan, output, await read(tile), slots[slot]!);
      const bins: Uint32Array[] = [];
      for (const { key, model, constants } of questions) {
        bins.push(
          await (slots[slot] as TileSlot).histogram(input, { rule, constants }, { key, model }),
        );
      }
      onElements?.(tile.count);
      return { tile, bins };
    });
  }

  return {
    /** Histograms over the whole tensor, one for each question. */
    async sum(questions: readonly Question[]): Promise<Float64Array[]> {
      const totals = questions.map(() => new Float64Array(2 ** 16));
      if (questions.length === 0) return totals;
      for await (const { bins } of count(questions)) {
        for (const [i, some] of bins.entries()) {
          const total = totals[i]!;
          for (const [bin, found] of some.entries()) total[bin]! += found;
        }
      }
      return totals;
    },
    /** For each search the index after the n-th element with exactly its score. */
    async placesAfter(searches: readonly TiedSearch[]): Promise<readonly number[]> {
      const open = searches.map(({ n }) => ({ left: n, first: -1 }));
      if (open.length === 0) return [];
      for await (const { tile, bins } of count(searches.map(({ tied }) => tied))) {
        for (const [i, search] of open.entries()) {
          if (search.first >= 0) continue;
          const block = findFromBottom(bins[i]!, search.left);
          search.left = block.left;
          if (block.bin !== null) search.first = tile.first + block.bin * BLOCK_ELEMENTS;
        }
        if (open.every(({ first }) => first >= 0)) break;
      }
      const places: number[] = [];
      for (const [i, { first, left }] of open.entries()) {
        invariant(first >= 0, "the score occurs as often as it was counted");
        const elements = Math.min(BLOCK_ELEMENTS, output.elementCount - first);
        const input = await readTile(output, { first, count: elements }, layout);
        const { model, constants } = searches[i]!.tied;
        const slot = slots[0] as TileSlot;
        const found = await slot.histogram(input, { rule, constants }, { key: "place", model });
        const place = findFromBottom(found, left).bin;
        invariant(place !== null, "the block holds as many as were counted in it");
        places.push(first + place + 1);
      }
      return places;
    },
  };
}

/** Bin of the n-th largest element, and its rank within that bin. */
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

/** Bin of the n-th smallest element; none where there are fewer elements. */
function findFromBottom(bins: Uint32Array, n: number) {
  let left = n;
  for (let bin = 0; bin < bins.length; bin++) {
    if (bins[bin]! >= left) return { bin, left };
    left -= bins[bin]!;
  }
  return { bin: null, left };
}
