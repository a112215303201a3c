import { invariant } from "../../core/invariant.ts";
import { RadixSelection } from "../../gpu/tiles/radixSelection.ts";
import type { Cut, Selection } from "../method.ts";
import type { PassOptions, TensorTiles } from "./tensorTiles.ts";

/** Index below which every element lies. */
const EVERYWHERE = 2 ** 32 - 1;
const KEEPS_ALL: Pick<Cut, "bits" | "before"> = { bits: 0, before: EVERYWHERE };
const KEEPS_NONE: Pick<Cut, "bits" | "before"> = { bits: 2 ** 31 - 1, before: 0 };

/**
 * Selects the largest elements of a tensor by score, for every count of every model; exact at any
 * size, in tiles, the first of equal scores being kept.
 */
export async function selectLargest(
  tiles: TensorTiles,
  selection: Selection,
  options: PassOptions,
): Promise<readonly (readonly Cut[])[]> {
  const { elementCount, models, base } = tiles.output;
  const scored = selection.shared ? [0] : models.map((_, m) => m);
  const searches = scored.flatMap((model) =>
    selection.counts(elementCount)[model]!.map((_, cut) => ({ model, cut })),
  );
  const countsOf = (zeros: readonly number[]) =>
    searches.map(
      ({ model, cut }, i) => selection.counts(elementCount - (zeros[i] ?? 0))[model]![cut]!,
    );
  const { scoresOnly = false } = selection;
  const isOpen = (kept: number) => kept > 0 && (scoresOnly || kept < elementCount);
  const goesByZeros = selection.of === "positive";
  let counts = goesByZeros ? [] : countsOf([]);
  if (elementCount === 0 || (!goesByZeros && !counts.some(isOpen))) return cutsOf(() => null);

  const layout = tiles.whole;
  const about = { rule: selection.rule, hasBase: base !== null, layout, scoresOnly };
  const radix = new RadixSelection(
    tiles.gpu,
    about,
    searches.map(({ model }) => model),
  );
  const seek = () => radix.seek(counts.map((kept) => (isOpen(kept) ? kept : 0)));
  try {
    if (!goesByZeros) seek();
    for (let pass = 0; pass < radix.passes; pass++) {
      for await (const _ of tiles.each(layout, options, (slot) => slot.count(radix)));
      if (pass === 0 && goesByZeros) {
        counts = countsOf(await radix.zeros());
        seek();
      }
      await radix.narrow();
      // Where every pass reads the tensor again, it is worth a wait to know whether it must.
      if (!tiles.stayIn(layout) && (await radix.found())) break;
    }
    const found = await radix.found();
    invariant(found, "the searches end");
    return cutsOf((i) => {
      const { bits, last } = found[i]!;
      return { bits, before: last === null ? EVERYWHERE : last + 1 };
    });
  } finally {
    radix.release();
  }

  /** Cuts of each model in order, given the thresholds of the open searches. */
  function cutsOf(thresholdOf: (search: number) => Omit<Cut, "kept"> | null) {
    const cuts = searches.map(({ model }, i) => {
      const kept = counts[i] ?? 0;
      const ends = kept > 0 ? KEEPS_ALL : KEEPS_NONE;
      return { model, cut: { kept, ...((isOpen(kept) && thresholdOf(i)) || ends) } };
    });
    return models.map((_, m) =>
      cuts.filter(({ model }) => model === (selection.shared ? 0 : m)).map(({ cut }) => cut),
    );
  }
}
