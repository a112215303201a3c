import { useMemo } from "react";
import { useStore } from "zustand";
import { modelKeys } from "../../../engine/contract/index.ts";
import { shortNames } from "../../stores/compatible.ts";
import type { Studio } from "../../stores/studio.ts";
import { BASE_COLOUR, modelColour } from "../../theme/colours.ts";
import type { MapLegend } from "./mapLayout.ts";

/** What the composed recipe's models are called and drawn with. */
export function useLegend(studio: Studio): MapLegend {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  return useMemo(() => {
    const keys = modelKeys(recipe);
    const all = recipe.base === undefined ? keys : [...keys, recipe.base];
    const names = shortNames(all);
    return {
      names: names.slice(0, keys.length),
      colours: keys.map((_, index) => modelColour(index)),
      base: recipe.base === undefined ? null : (names.at(-1) ?? recipe.base),
      baseColour: BASE_COLOUR,
    };
  }, [recipe]);
}
