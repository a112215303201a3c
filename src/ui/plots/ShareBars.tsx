import { formatShare } from "../theme/format.ts";
import "./plots.css";

export interface ShareBar {
  readonly name: string;
  readonly title: string;
  readonly colour: string;
  readonly share: number;
  /** Standard deviation over the elements, where shares differ by element. */
  readonly spread: number | null;
}

/** Bar chart of shares, over a scale to 1 or beyond; negative shares are hatched. */
export function ShareBars({ bars }: { readonly bars: readonly ShareBar[] }) {
  const scale = Math.max(1, ...bars.map(({ share }) => Math.abs(share)));
  return (
    <ul className="sharebars num">
      {bars.map(({ name, title, colour, share, spread }) => (
        <li key={title}>
          <span className="ellipsis" title={title}>
            {name}
          </span>
          <span className="sharebars-track">
            <i
              data-negative={share < 0 || undefined}
              style={{ width: `${(Math.abs(share) / scale) * 100}%`, backgroundColor: colour }}
            />
          </span>
          <b>
            {formatShare(share)}
            {spread !== null && <span className="faint"> ± {formatShare(spread)}</span>}
          </b>
        </li>
      ))}
    </ul>
  );
}
