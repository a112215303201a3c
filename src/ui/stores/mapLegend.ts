import type { MapLegend } from "../plots/mapLayout.ts";
import { BASE_COLOUR, modelColour } from "../theme/colours.ts";
import { shortNames } from "./compatible.ts";

/** Names and colours of a weight map's models, in the recipe's order. */
export function mapLegend(keys: readonly string[], base: string | null): MapLegend {
  const names = shortNames(base === null ? keys : [...keys, base]);
  return {
    names: names.slice(0, keys.length),
    colours: keys.map((_, index) => modelColour(index)),
    base: base === null ? null : (names.at(-1) ?? base),
    baseColour: BASE_COLOUR,
  };
}
