import { formatBits, formatCount } from "../theme/format.ts";
import "./curves.css";

export interface Curve {
  readonly name: string;
  /** A CSS colour. */
  readonly colour: string;
  /** Told apart without colour: how its line is dashed. */
  readonly dash: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

interface CurvesProps {
  readonly label: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 560;
const HEIGHT = 200;
const LEFT = 44;
const BOTTOM = 24;

/** Round numbers between two ends, about four of them. */
export function ticks(low: number, high: number): readonly number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
  const all: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12); i++) all.push(i * step);
  return all;
}

/** Values by step, one line a curve; the numbers are in a table beneath for who cannot see lines. */
export function Curves({ label, unit, curves }: CurvesProps) {
  const drawn = curves.filter(({ points }) => points.length > 0);
  const values = drawn.flatMap(({ points }) => points.map(({ value }) => value));
  const steps = drawn.flatMap(({ points }) => points.map(({ step }) => step));
  if (values.length === 0) return <p className="small muted">No step is done yet.</p>;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(high - low, 1e-6) * 0.06;
  const last = Math.max(2, ...steps);
  const x = (step: number) => LEFT + ((step - 1) / (last - 1)) * (WIDTH - LEFT - 8);
  const y = (value: number) =>
    8 + ((high + room - value) / (high - low + 2 * room)) * (HEIGHT - BOTTOM - 8);
  return (
    <figure className="curves">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
        {ticks(low - room, high + room).map((value) => (
          <g key={value}>
            <line className="curves-grid" x1={LEFT} x2={WIDTH - 8} y1={y(value)} y2={y(value)} />
            <text className="curves-tick" x={LEFT - 6} y={y(value) + 4} textAnchor="end">
              {formatBits(value, 2)}
            </text>
          </g>
        ))}
        {ticks(1, last)
          .filter(Number.isInteger)
          .map((step) => (
            <text
              key={step}
              className="curves-tick"
              x={x(step)}
              y={HEIGHT - 6}
              textAnchor={step > last * 0.95 ? "end" : "middle"}
            >
              {formatCount(step)}
            </text>
          ))}
        {drawn.map(({ name, colour, dash, points }) => (
          <polyline
            key={name}
            className="curves-line"
            style={{ stroke: colour, strokeDasharray: dash }}
            points={points.map(({ step, value }) => `${x(step)},${y(value)}`).join(" ")}
          />
        ))}
      </svg>
      <figcaption>
        <ul className="curves-legend">
          {drawn.map(({ name, colour, dash, points }) => (
            <li key={name}>
              <svg width="26" height="8" aria-hidden="true">
                <line
                  className="curves-line"
                  style={{ stroke: colour, strokeDasharray: dash }}
                  x1="1"
                  x2="25"
                  y1="4"
                  y2="4"
                />
              </svg>
              <span className="ellipsis" title={name}>
                {name}
              </span>
              <span className="num faint">
                {formatBits(points[0]?.value ?? null)} → {formatBits(points.at(-1)?.value ?? null)}
              </span>
            </li>
          ))}
        </ul>
        <span className="small faint">{unit}</span>
      </figcaption>
    </figure>
  );
}
