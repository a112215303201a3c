import "./parts.css";

interface ProgressProps {
  readonly label: string;
  /** Label of the current work. */
  readonly words: string;
  /** Amount, speed and remaining time. */
  readonly numbers: string;
  /** Fraction from 0 to 1; null while unknown. */
  readonly fraction: number | null;
}

/** Progress bar with a label at its left and numbers at its right. */
export function Progress({ label, words, numbers, fraction }: ProgressProps) {
  const percent = Math.round(Math.min(1, Math.max(0, fraction ?? 0)) * 1000) / 10;
  return (
    <div className="progress">
      <div className="progress-words">
        <span className="ellipsis" title={words}>
          {words}
        </span>
        <span className="num">{numbers}</span>
      </div>
      <div
        className="progress-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={numbers}
        {...(fraction === null ? {} : { "aria-valuenow": percent })}
      >
        <i style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}
