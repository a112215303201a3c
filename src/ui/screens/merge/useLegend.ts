import { useMemo } from "react";
import { useStore } from "zustand";
import { modelKeys } from "../../../engine/contract/index.ts";
import type { MapLegend } from "../../plots/mapLayout.ts";
import { mapLegend } from "../../stores/mapLegend.ts";
import type { Studio } from "../../stores/studio.ts";

/** What the composed recipe's models are called and drawn with. */
export function useLegend(studio: Studio): MapLegend {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  return useMemo(() => mapLegend(modelKeys(recipe), recipe.base ?? null), [recipe]);
}
