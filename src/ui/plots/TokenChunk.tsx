import { memo, type ReactNode } from "react";
import type { ReadToken } from "../../engine/contract/index.ts";
import { surprisalStep } from "../theme/colours.ts";
import { formatBits, formatProbability } from "../theme/format.ts";
import { nameToken, splitTokenText, type TokenPiece } from "../theme/tokenText.ts";
import { tokenRoles } from "./tokenRoles.ts";

interface ChunkProps {
  readonly tokens: readonly ReadToken[];
  /** Place of the first token in the whole text. */
  readonly first: number;
  /** The token that Tab leads to, if it is in this chunk. */
  readonly active: number | null;
}

/** How many of the likeliest a label names. */
const NAMED = 3;

/** What a screen reader says of a token: the text, its surprisal, what was likelier. */
function labelOf({ text, nats, top }: ReadToken): string {
  const likely = top
    .slice(0, NAMED)
    .map((entry) => `${nameToken(entry.text)} ${formatProbability(entry.probability)}`);
  const surprisal = nats === null ? "first token" : `${formatBits(nats, 2)} nats`;
  return `${nameToken(text)}: ${surprisal}${likely.length > 0 ? `; likeliest ${likely.join(", ")}` : ""}`;
}

/** Pieces have no order but their own: keys tell the place. */
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

/** Apart from its neighbours, over a number, a token's leading space is a mark too. */
function TextPiece({ text }: { readonly text: string }) {
  if (!text.startsWith(" ")) return text;
  return (
    <>
      <span className="token-gap"> </span>
      {text.slice(1)}
    </>
  );
}

/** A run of tokens, drawn again only when something in it changes. */
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
