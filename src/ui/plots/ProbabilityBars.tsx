import { formatProbability } from "../theme/format.ts";
import { nameToken } from "../theme/tokenText.ts";
import "./tokens.css";

interface ProbabilityBarsProps {
  readonly top: readonly { readonly text: string; readonly probability: number }[];
  /** The token that stands there; marked, and added below where it is not among the likeliest. */
  readonly taken: { readonly text: string; readonly probability: number } | null;
}

/** The top of a distribution: one bar per token, over a scale that ends at 1. */
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
