import { formatCount, formatNumber } from "../theme/format.ts";
import "./plots.css";

interface HistogramProps {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

/** Histogram with a square-root scale, so that tails stay visible beside the peak. */
export function Histogram({ label, from, to, counts }: HistogramProps) {
  const most = Math.max(1, ...counts);
  const width = 100 / Math.max(1, counts.length);
  const step = (to - from) / Math.max(1, counts.length);
  const zero = from < 0 && to > 0 ? (100 * -from) / (to - from) : null;
  const edge = (index: number) => formatNumber(from + step * index);
  return (
    <figure className="histogram">
      <svg viewBox="0 0 100 54" preserveAspectRatio="none" role="img" aria-label={label}>
        {counts.map((count, index) => {
          const height = count === 0 ? 0 : Math.max(0.6, 53 * Math.sqrt(count / most));
          return (
            <rect
              key={edge(index)}
              x={index * width + width * 0.08}
              y={54 - height}
              width={width * 0.84}
              height={height}
            >
              <title>{`${edge(index)} to ${edge(index + 1)}: ${formatCount(count)} values`}</title>
            </rect>
          );
        })}
        {zero !== null && <line className="histogram-zero" x1={zero} x2={zero} y1="0" y2="54" />}
      </svg>
      <figcaption className="small faint num">
        <span>{formatNumber(from)}</span>
        {zero !== null && zero > 18 && zero < 82 && (
          <span className="histogram-origin" style={{ left: `${zero}%` }}>
            0
          </span>
        )}
        <span>{formatNumber(to)}</span>
      </figcaption>
    </figure>
  );
}
