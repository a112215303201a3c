import type { ParameterCurve, Scalar } from "../../engine/contract/index.ts";
import { formatLayers, formatNumber } from "../theme/format.ts";
import { CurveTable } from "./CurveTable.tsx";
import type { Curve } from "./curve.ts";
import "./parameterLines.css";

interface ParameterLinesProps {
  readonly label: string;
  /** Curves of one parameter of one model, or of the whole merge. */
  readonly curves: readonly ParameterCurve[];
}

const WIDTH = 240;
const HEIGHT = 44;
const EDGE = 3;
const DASHES = ["none", "5 3", "1.5 3", "8 3 1.5 3"] as const;

const numberOf = (value: Scalar) => (value === true ? 1 : Number(value));
const sayValue = (value: number) => formatNumber(value);

/** Curves over layers with a value in at least one of them, each with its dashes. */
function drawnOf(curves: readonly ParameterCurve[]): readonly Curve[] {
  return curves
    .filter(({ list }) => list !== null)
    .map(({ columns, values }, i) => ({
      name: columns.join(", "),
      colour: "var(--accent)",
      dash: DASHES[i % DASHES.length]!,
      points: values.flatMap((value, step) =>
        value === null ? [] : [{ step, value: numberOf(value) }],
      ),
    }));
}

/** A curve in words: its value, or those at its ends and its range. */
function describe({ points }: Curve): string {
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return sayValue(low);
  const [first, last] = [values[0]!, values.at(-1)!];
  const ends = `${sayValue(first)} → ${sayValue(last)}`;
  const wider = low < Math.min(first, last) || high > Math.max(first, last);
  return wider ? `${ends}, from ${sayValue(low)} to ${sayValue(high)}` : ends;
}

/** Values of one parameter over the layers, a line for the matrices that share them. */
export function ParameterLines({ label, curves }: ParameterLinesProps) {
  const drawn = drawnOf(curves);
  const outside = curves.filter(({ list }) => list === null);
  const points = drawn.flatMap((curve) => curve.points);
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const layers = points.reduce((most, { step }) => Math.max(most, step + 1), 0);
  const x = (step: number) => EDGE + (step / Math.max(1, layers - 1)) * (WIDTH - 2 * EDGE);
  const y = (value: number) =>
    high === low
      ? HEIGHT / 2
      : HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE);
  const words = drawn.map((curve) => `${curve.name}: ${describe(curve)}`).join("; ");
  return (
    <div className="parameter-lines">
      {layers > 0 && (
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${label} over layers ${formatLayers([0, layers])}. ${words}`}
        >
          {drawn.map(({ name, dash, points: own }) => (
            <polyline
              key={name}
              style={{ strokeDasharray: dash }}
              points={own.map(({ step, value }) => `${x(step)},${y(value)}`).join(" ")}
            />
          ))}
        </svg>
      )}
      <ul className="small muted num">
        {drawn.map((curve) => (
          <li key={curve.name}>
            <svg width="22" height="8" aria-hidden="true">
              <polyline style={{ strokeDasharray: curve.dash }} points="1,4 21,4" />
            </svg>
            <span className="ellipsis mono" title={curve.name}>
              {curve.name}
            </span>
            <span>{describe(curve)}</span>
          </li>
        ))}
        {outside.map(({ columns, values: [value] }) => (
          <li key={columns.join()}>
            <i />
            <span className="ellipsis mono" title={columns.join(", ")}>
              {columns.join(", ")}
            </span>
            <span>{value === null || value === undefined ? "–" : sayValue(numberOf(value))}</span>
          </li>
        ))}
      </ul>
      {layers > 0 && <CurveTable label={label} heading="Layer" curves={drawn} format={sayValue} />}
    </div>
  );
}
