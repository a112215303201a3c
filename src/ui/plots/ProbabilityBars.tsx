import { formatProbability } from "../theme/format.ts";
import { nameToken } from "../theme/tokenText.ts";
import "./tokens.css";

interface ProbabilityBarsProps {
  readonly top: readonly { readonly text: string; readonly probability: number }[];
  /** Token of the text; added below where it is not among the likeliest. */
  readonly taken: { readonly text: string; readonly probability: number } | null;
}

/** Bar chart of the likeliest tokens, over a scale from 0 to 1. */
export function ProbabilityBars({ top, taken }: ProbabilityBarsProps) {
  const among = taken === null || top.some(({ text }) => text === taken.text);
  const rows = among ? top : [...top, taken];
  return (
    <ol className="probabilities num">
      {rows.map(({ text, probability }, place) => (
        <li key={`${place} ${text}`} data-taken={text === taken?.text || undefined}>
          <span className="mono ellipsis">
            {text === taken?.text && <span aria-hidden="true">▸ </span>}
            {nameToken(text)}
          </span>
          <span className="probabilities-track">
            <i style={{ width: `${Math.min(1, probability) * 100}%` }} />
          </span>
          <b>{formatProbability(probability)}</b>
        </li>
      ))}
    </ol>
  );
}
