import type { Vocabulary } from "../types.ts";
import { remark, unmark } from "../vocabulary.ts";
import { type Chooser, type DtwProfile, NO_MATCH, type Sides } from "./profile.ts";

/** Tokenizer classes that put no space marker before the first word. */
const BARE_AT_START = new Set(["GPT2Tokenizer", "GPTNeoXTokenizer"]);

/**
 * FuseLLM (arXiv 2401.10491, `FuseLLM/src/utils/others.py`): plain edit distances; a source's row is
 * taken only where one token stands beside one and both are equal, by themselves or by the map.
 */
export const fusellm: DtwProfile = {
  ties: "source first",
  cost: (distance) => distance,
  spell: spellPieces,
  openChooser,
};

/** Strings as in tokenizer files, without markers, as FuseLLM and FuseChat v1 compare them. */
export function spellPieces(side: Vocabulary) {
  const plain = (id: number) => unmark(side.piece(id), side);
  return { plain, whole: plain };
}

function openChooser({ pivot, source, map }: Sides): Chooser {
  const bare = BARE_AT_START.has(source.className ?? "");
  const marked = (text: string) => text.startsWith(pivot.marker);
  return (texts, at, group) => {
    if (group.length !== 1) return NO_MATCH;
    const position = group[0]!;
    const pivotId = texts.pivot[at]!;
    let sourceId: number | undefined = texts.source[position]!;
    const token = pivot.piece(pivotId);
    let other = remark(source.piece(sourceId), source, pivot);
    if (bare && at === 0 && marked(token) && !marked(other)) {
      other = pivot.marker + other;
      sourceId = source.idOf(remark(other, pivot, source));
    }
    if (token === other) return { reason: "equal", positions: [position] };
    if (sourceId === undefined || map.target(sourceId) !== pivotId) return NO_MATCH;
    return { reason: "mapped", positions: [position] };
  };
}
