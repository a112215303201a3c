import { memo, type ReactNode } from "react";
import type { ReadToken } from "../../engine/contract/index.ts";
import { surprisalStep } from "../theme/colours.ts";
import { formatBits, formatProbability } from "../theme/format.ts";
import { nameToken, splitTokenText, type TokenPiece } from "../theme/tokenText.ts";
import { tokenRoles } from "./tokenRoles.ts";

interface ChunkProps {
  readonly tokens: readonly ReadToken[];
  /** Index of the first token in the whole text. */
  readonly first: number;
  /** Token of the tab stop, if it is in this chunk. */
  readonly active: number | null;
}

/** Number of alternatives that a label names. */
const NAMED = 3;

/** Label of a token for screen readers: its text, its surprisal, and likelier tokens. */
function labelOf({ text, nats, top }: ReadToken): string {
  const likely = top
    .slice(0, NAMED)
    .map((entry) => `${nameToken(entry.text)} ${formatProbability(entry.probability)}`);
  const surprisal = nats === null ? "first token" : `${formatBits(nats, 2)} nats`;
  return `${nameToken(text)}: ${surprisal}${likely.length > 0 ? `; likeliest ${likely.join(", ")}` : ""}`;
}

/** Pieces are keyed by index: they have no other identity. */
function drawPieces(pieces: readonly TokenPiece[]): readonly ReactNode[] {
  return pieces.map(({ text, mark }, at) => {
    const key = `${at} ${text}`;
    return mark ? (
      <span key={key} className="token-mark">
        {text}
      </span>
    ) : (
      <TextPiece key={key} text={text} />
    );
  });
}

/** A token that stands apart from its neighbours shows its leading space as a mark. */
function TextPiece({ text }: { readonly text: string }) {
  if (!text.startsWith(" ")) return text;
  return (
    <>
      <span className="token-gap"> </span>
      {text.slice(1)}
    </>
  );
}

/** A chunk of tokens, memoised. */
export const TokenChunk = memo(function TokenChunk({ tokens, first, active }: ChunkProps) {
  return tokens.map((token, at) => {
    const index = first + at;
    const { pieces, breaks } = splitTokenText(token.text);
    return (
      <span key={index} {...tokenRoles.none}>
        <span
          {...tokenRoles.token(labelOf(token), index === active)}
          className="token"
          data-token={index}
          data-step={token.nats === null ? 0 : surprisalStep(token.nats)}
        >
          <span className="token-text">{drawPieces(pieces)}</span>
          <span className="token-nats">
            {token.nats === null ? "–" : formatBits(token.nats, 1)}
          </span>
        </span>
        {breaks > 0 && "\n".repeat(Math.min(breaks, 3))}
      </span>
    );
  });
});
