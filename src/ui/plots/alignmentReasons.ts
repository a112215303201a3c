import { ALIGNMENT_REASONS, type AlignmentReason } from "../../engine/contract/index.ts";

interface ReasonMark {
  /** Letter below the token and in the legend, so that colour is not needed. */
  readonly letter: string;
  /** Certainty, shown as one colour and one kind of line each. */
  readonly tone: "exact" | "close" | "none";
  /** Clause for labels and the legend's tooltip. */
  readonly words: string;
}

/** Letter, tone and words of each reason. */
export const REASON_MARKS: Readonly<Record<AlignmentReason, ReasonMark>> = {
  "same end": { letter: "e", tone: "exact", words: "both texts end at the same byte" },
  equal: { letter: "=", tone: "exact", words: "the two strings are equal" },
  mapped: { letter: "m", tone: "close", words: "equal through the vocabulary map" },
  contained: { letter: "c", tone: "close", words: "the pivot’s token is a part of the source’s" },
  suffix: { letter: "s", tone: "close", words: "one ends with the other" },
  joined: { letter: "j", tone: "close", words: "several source tokens make up the pivot’s" },
  "no match": { letter: "–", tone: "none", words: "nothing fits, the fall-back stands here" },
  "not kept": { letter: "n", tone: "none", words: "the source was not asked about what fits" },
  empty: { letter: "∅", tone: "none", words: "no entry has a place in the pivot’s vocabulary" },
};

/** Number of pivot tokens for each reason that occurs, in a fixed order. */
export function countReasons(
  links: readonly { readonly reason: AlignmentReason | null }[],
): readonly (readonly [AlignmentReason, number])[] {
  const counts = new Map<AlignmentReason, number>();
  for (const { reason } of links) {
    if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return ALIGNMENT_REASONS.flatMap((reason) => {
    const count = counts.get(reason);
    return count === undefined ? [] : [[reason, count] as const];
  });
}
