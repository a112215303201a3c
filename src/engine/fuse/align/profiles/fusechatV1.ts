import { remark } from "../vocabulary.ts";
import { spellPieces } from "./fusellm.ts";
import { type Choice, type Chooser, type DtwProfile, NO_MATCH, type Sides } from "./profile.ts";

/**
 * FuseChat v1 (arXiv 2402.16107, `FuseChat/train/align_token_and_vocab.py` of FuseLLM@562c7b0): as
 * FuseLLM, but what is contained in the other costs a tenth, and a pivot's token takes the row of a
 * source token that it is a part of, so that every piece of a word has the row that follows the word.
 */
export const fusechatV1: DtwProfile = {
  ties: "source first",
  cost: (distance, contained) => distance * (contained ? 0.1 : 1),
  spell: spellPieces,
  openChooser,
};

function openChooser({ pivot, source, matrix }: Sides): Chooser {
  return (texts, at, group) => {
    const token = pivot.piece(texts.pivot[at]!);
    const others = Array.from(group, (position) => ({
      position,
      text: remark(source.piece(texts.source[position]!), source, pivot),
    }));
    if (others.length === 1) return matchOne(token, others);
    if (!matrix) return NO_MATCH;
    if (token === pivot.marker) return consume(token, others);
    const equal = others.find(({ text }) => text === token);
    const found = equal ? matchOne(token, [equal]) : matchOne(token, others);
    return found === NO_MATCH ? consume(token, others) : found;
  };
}

interface Other {
  readonly position: number;
  readonly text: string;
}

/** First of the others that contains the token. */
function matchOne(token: string, others: readonly Other[]): Choice {
  const found = others.find(({ text }) => text.includes(token));
  if (!found) return NO_MATCH;
  return { reason: found.text === token ? "equal" : "contained", positions: [found.position] };
}

/** Strips the others off the token's front one by one, skipping those that do not match. */
function consume(token: string, others: readonly Other[]): Choice {
  let rest = token;
  const positions: number[] = [];
  for (const { position, text } of others) {
    if (text === "" || !rest.startsWith(text)) continue;
    rest = rest.slice(text.length);
    positions.push(position);
  }
  if (rest !== "" || positions.length === 0) return NO_MATCH;
  return { reason: positions.length === 1 ? "equal" : "joined", positions };
}
