import type { ReadToken } from "../../../engine/contract/index.ts";
import { ProbabilityBars } from "../../plots/ProbabilityBars.tsx";
import { formatBits, formatProbability } from "../../theme/format.ts";
import { nameToken } from "../../theme/tokenText.ts";

interface TokenTipProps {
  readonly token: ReadToken;
  readonly place: DOMRect;
}

const WIDTH = 280;
const HEIGHT = 290;

/** Tooltip with a token's alternatives, the first of which its own label has as well. */
export function TokenTip({ token: { text, id, nats, top }, place }: TokenTipProps) {
  const probability = nats === null ? null : Math.exp(-nats);
  const below = place.bottom + HEIGHT < window.innerHeight || place.top < HEIGHT;
  const left = Math.min(window.innerWidth - WIDTH - 8, Math.max(8, place.left));
  const style = below
    ? { left, top: place.bottom + 6 }
    : { left, bottom: window.innerHeight - place.top + 6 };
  return (
    <div className="tip" style={{ ...style, width: WIDTH }} aria-hidden="true">
      <div className="row spread">
        <b className="mono ellipsis">{nameToken(text)}</b>
        <span className="small faint num">id {id}</span>
      </div>
      <p className="small muted num">
        {probability === null || nats === null
          ? "The first token: nothing stands before it."
          : `${formatBits(nats, 2)} nats · ${formatProbability(probability)}`}
      </p>
      {top.length > 0 && (
        <ProbabilityBars top={top} taken={probability === null ? null : { text, probability }} />
      )}
    </div>
  );
}
