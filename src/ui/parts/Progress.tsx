import "./parts.css";

interface ProgressProps {
  readonly label: string;
  /** What is being worked on. */
  readonly words: string;
  /** How far, how fast, how long. */
  readonly numbers: string;
  /** 0 to 1, or null while nobody knows. */
  readonly fraction: number | null;
}

/** A bar with words at its left and numbers at its right. */
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
