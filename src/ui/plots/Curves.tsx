import { useElementSize } from "@mantine/hooks";
import { formatCount } from "../theme/format.ts";
import { CurveTable } from "./CurveTable.tsx";
import type { Curve } from "./curve.ts";
import { tickLabels, ticks } from "./ticks.ts";
import "./curves.css";

interface CurvesProps {
  readonly label: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
  /** Last step of the training, where the axis ends. */
  readonly lastStep: number;
  readonly format: (value: number) => string;
}

const HEIGHT = 230;
/** Margins in pixels, for labels at the left and below, and half a dot at the other sides. */
const LEFT = 52;
const BOTTOM = 26;
const EDGE = 10;
/** Number of points up to which each is marked: a single point has no line. */
const FEW = 12;

/** Line chart of values by step, the last value of each as a dot, with a table below. */
export function Curves({ label, unit, curves, lastStep, format }: CurvesProps) {
  const { ref, width: measured } = useElementSize<HTMLDivElement>();
  const width = Math.max(240, measured || 560);
  const drawn = curves.filter(({ points }) => points.length > 0);
  const values = drawn.flatMap(({ points }) => points.map(({ value }) => value));
  const steps = drawn.flatMap(({ points }) => points.map(({ step }) => step));
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const room = Math.max(high - low, Math.abs(high) * 0.02, 1e-9) * 0.08;
  const first = steps.reduce((least, step) => Math.min(least, step), 1);
  const last = steps.reduce((most, step) => Math.max(most, step), Math.max(first + 1, lastStep));
  const x = (step: number) => LEFT + ((step - first) / (last - first)) * (width - LEFT - EDGE);
  const y = (value: number) =>
    EDGE + ((high + room - value) / (high - low + 2 * room)) * (HEIGHT - BOTTOM - EDGE);
  const levels = values.length > 0 ? ticks(low - room, high + room) : [];
  const words = tickLabels(levels);
  return (
    <figure className="curves">
      <div ref={ref} className="curves-plot">
        {values.length === 0 ? (
          <p className="small muted">No step has told this yet.</p>
        ) : (
          <svg width={width} height={HEIGHT} role="img" aria-label={`${label}, ${unit}, by step`}>
            {levels.map((value, at) => (
              <g key={value}>
                <line
                  className="curves-grid"
                  x1={LEFT}
                  x2={width - EDGE}
                  y1={y(value)}
                  y2={y(value)}
                />
                <text className="curves-tick" x={LEFT - 8} y={y(value) + 4} textAnchor="end">
                  {words[at]}
                </text>
              </g>
            ))}
            {ticks(first, last)
              .filter(Number.isInteger)
              .map((step) => (
                <text
                  key={step}
                  className="curves-tick"
                  x={x(step)}
                  y={HEIGHT - 8}
                  textAnchor={x(step) > width - 24 ? "end" : "middle"}
                >
                  {formatCount(step)}
                </text>
              ))}
            {drawn.map(({ name, colour, dash, points }) => (
              <g key={name} style={{ stroke: colour, fill: colour }}>
                <polyline
                  className="curves-line"
                  style={{ strokeDasharray: dash }}
                  points={points.map(({ step, value }) => `${x(step)},${y(value)}`).join(" ")}
                />
                {(points.length <= FEW ? points : points.slice(-1)).map(({ step, value }) => (
                  <circle key={step} cx={x(step)} cy={y(value)} r="3" />
                ))}
              </g>
            ))}
          </svg>
        )}
      </div>
      <figcaption>
        <CurvesLegend curves={drawn} format={format} />
        {drawn.length > 0 && <CurveTable label={label} curves={drawn} format={format} />}
      </figcaption>
    </figure>
  );
}

function CurvesLegend({ curves, format }: Pick<CurvesProps, "curves" | "format">) {
  return (
    <ul className="curves-legend">
      {curves.map(({ name, colour, dash, points }) => {
        const [first, last] = [points[0], points.at(-1)];
        return (
          <li key={name}>
            <svg width="28" height="8" aria-hidden="true" style={{ stroke: colour }}>
              <line
                className="curves-line"
                style={{ strokeDasharray: dash }}
                x1="1"
                x2="27"
                y1="4"
                y2="4"
              />
            </svg>
            <span className="ellipsis" title={name}>
              {name}
            </span>
            <span className="num muted">
              {first && format(first.value)}
              {last && points.length > 1 && ` → ${format(last.value)}`}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
