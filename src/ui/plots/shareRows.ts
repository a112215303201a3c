import type { WeightCell } from "../../engine/contract/index.ts";
import type { MapLegend } from "./mapLayout.ts";
import type { ShareBar } from "./ShareBars.tsx";

/** Share of the base below which it counts as rounding. */
const NOTHING = 5e-4;

/** Bars of a cell's shares, the base's remainder last where there is one. */
export function barsOf({ shares, spread }: WeightCell, legend: MapLegend): readonly ShareBar[] {
  const values = shares ?? [];
  const bars = values.map((share, index) => ({
    name: legend.names[index] ?? "",
    title: `${legend.names[index]} ${index + 1}`,
    colour: legend.colours[index] ?? "",
    share,
    spread: spread?.[index] ?? null,
  }));
  const rest = 1 - values.reduce((sum, share) => sum + share, 0);
  if (legend.base === null || Math.abs(rest) < NOTHING) return bars;
  const base = { name: legend.base, title: `${legend.base} (base)`, colour: legend.baseColour };
  return [...bars, { ...base, share: rest, spread: null }];
}
