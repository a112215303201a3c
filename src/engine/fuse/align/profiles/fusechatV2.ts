import type { Vocabulary } from "../types.ts";
import { remark, unmark } from "../vocabulary.ts";
import { type Chooser, type DtwProfile, NO_MATCH, type Sides } from "./profile.ts";

/**
 * FuseChat v2 (arXiv 2408.07990, `FuseChat/train/align_token_and_vocab.py` of FuseAI@7d9a307):
 * decoded strings are compared, so that bytes of broken characters are all U+FFFD and equal, and a
 * token that decodes to nothing is the end of any other. Rows are learned at the last piece of a word.
 */
export const fusechatV2: DtwProfile = {
  ties: "pivot first",
  cost: (distance) => distance,
  spell: (side: Vocabulary, pivot: Vocabulary) => ({
    plain: (id) => unmark(side.decoded(id), side),
    whole: (id) => remark(side.decoded(id), side, pivot),
  }),
  openChooser,
};

function openChooser({ pivot, source, matrix, exact }: Sides): Chooser {
  return (texts, at, group) => {
    const token = pivot.decoded(texts.pivot[at]!);
    const other = (position: number) => source.decoded(texts.source[position]!);
    if (group.length === 1) {
      return judge(token, remark(other(group[0]!), source, pivot), group[0]!, exact);
    }
    if (exact || !matrix) return NO_MATCH;
    const bare = unmark(token, pivot);
    for (const position of group) {
      const choice = judge(bare, unmark(other(position), source), position, exact);
      if (choice !== NO_MATCH) return choice;
    }
    return NO_MATCH;
  };
}

function judge(token: string, other: string, position: number, exact: boolean) {
  if (token === other) return { reason: "equal" as const, positions: [position] };
  if (exact || !(token.endsWith(other) || other.endsWith(token))) return NO_MATCH;
  return { reason: "suffix" as const, positions: [position] };
}
