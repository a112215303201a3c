import "./curves.css";

interface IntervalMarkProps {
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | null;
  /** What the whole column spans. */
  readonly from: number;
  readonly to: number;
  /** Where nothing differs, if that is worth a line. */
  readonly zero?: number;
}

const WIDTH = 120;

/** An estimate as a dot with its interval as a line, on the column's scale. The numbers stand beside it. */
export function IntervalMark({ value, interval, from, to, zero }: IntervalMarkProps) {
  const span = Math.max(to - from, 1e-9);
  const x = (at: number) => 5 + ((at - from) / span) * (WIDTH - 10);
  return (
    <svg className="range" viewBox={`0 0 ${WIDTH} 16`} aria-hidden="true">
      {zero !== undefined && zero >= from && zero <= to && (
        <line className="range-zero" x1={x(zero)} x2={x(zero)} y1="0" y2="16" />
      )}
      {interval && (
        <line className="range-line" x1={x(interval[0])} x2={x(interval[1])} y1="8" y2="8" />
      )}
      <circle className="range-dot" cx={x(value)} cy="8" r="4" />
    </svg>
  );
}
