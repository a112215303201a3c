import type { WeightMap } from "../../engine/contract/index.ts";
import type { MapLegend } from "./mapLayout.ts";

interface MapLegendRowProps {
  readonly legend: MapLegend;
  readonly map: WeightMap;
}

/** Legend of the map: colours of the models; base and hatching only where the map has them. */
export function MapLegendRow({ legend, map }: MapLegendRowProps) {
  const shares = map.cells.flatMap((cell) => (cell.shares ? [cell.shares] : []));
  const rests = shares.map((values) => 1 - values.reduce((sum, value) => sum + value, 0));
  const base = legend.base !== null && rests.some((rest) => Math.abs(rest) > 5e-4);
  const negative =
    shares.some((values) => values.some((value) => value < 0)) ||
    (base && rests.some((rest) => rest < -5e-4));
  return (
    <ul className="legend" aria-label="Legend">
      {legend.names.map((name, index) => (
        <li key={`${name} ${legend.colours[index]}`}>
          <i className="swatch" style={{ background: legend.colours[index] }} />
          {name}
        </li>
      ))}
      {base && (
        <li>
          <i className="swatch" style={{ background: legend.baseColour }} />
          {legend.base}
        </li>
      )}
      {negative && (
        <li>
          <i className="swatch swatch-hatched" />
          negative
        </li>
      )}
      {map.cells.some(({ merged }) => !merged) && (
        <li>
          <i className="swatch swatch-plain" />
          copied
        </li>
      )}
      {map.cells.some(({ locked }) => locked) && (
        <li>
          <i className="swatch-locked" />
          locked
        </li>
      )}
      {map.cells.some(({ change }) => change !== null) && (
        <li className="faint">stronger colour: changed more</li>
      )}
    </ul>
  );
}
