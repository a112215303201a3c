import "./curves.css";

interface IntervalMarkProps {
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | null;
  /** Range of the column. */
  readonly from: number;
  readonly to: number;
  /** Value to compare with, a line through the column; null: none. */
  readonly mark: number | null;
}

const WIDTH = 120;

/** Estimate as a dot with its interval as a line. The numbers are beside it. */
export function IntervalMark({ value, interval, from, to, mark }: IntervalMarkProps) {
  const span = Math.max(to - from, 1e-9);
  const x = (at: number) => 5 + ((at - from) / span) * (WIDTH - 10);
  return (
    <svg className="range" viewBox={`0 0 ${WIDTH} 12`} aria-hidden="true">
      {mark !== null && mark >= from && mark <= to && (
        <line className="range-zero" x1={x(mark)} x2={x(mark)} y1="0" y2="12" />
      )}
      {interval && (
        <line className="range-line" x1={x(interval[0])} x2={x(interval[1])} y1="6" y2="6" />
      )}
      <circle className="range-dot" cx={x(value)} cy="6" r="4" />
    </svg>
  );
}
