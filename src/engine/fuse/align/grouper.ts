import type { FusionProfile } from "../../contract/index.ts";
import { alignOffsets } from "./offsets.ts";
import type { Groups, TokenisedText, Vocabulary } from "./types.ts";
import { sameVocabulary } from "./vocabulary.ts";
import { createWarper } from "./warper.ts";

export interface Grouping {
  readonly groups: Groups;
  /**
   * Source position of each pivot position where byte offsets alone decide, or -1; null where a
   * profile's rules choose from the groups.
   */
  readonly partners: Int32Array<ArrayBuffer> | null;
}

export type Grouper = (pivot: TokenisedText, source: TokenisedText) => Grouping;

/**
 * A grouper of source positions by pivot position, by a profile's rules. Texts that one vocabulary
 * tokenises alike are aligned one to one, as in FuseChat's `replace_model`.
 */
export function createGrouper(
  profile: FusionProfile,
  pivot: Vocabulary,
  source: Vocabulary,
): Grouper {
  const same = sameVocabulary(pivot, source);
  const group = profile === "studio" ? groupByEnds : openWarping(profile, pivot, source);
  return (text, other) => (same && sameEnds(text, other) ? identity(text) : group(text, other));
}

function groupByEnds(pivot: TokenisedText, source: TokenisedText): Grouping {
  const { groups, sameEnd } = alignOffsets(pivot.ends, source.ends);
  return { groups, partners: sameEnd };
}

function openWarping(...args: Parameters<typeof createWarper>): Grouper {
  const warpTexts = createWarper(...args);
  return (pivot, source) => {
    const { groups } = warpTexts({ pivot: pivot.ids, source: source.ids });
    return { groups, partners: null };
  };
}

function sameEnds(one: TokenisedText, other: TokenisedText): boolean {
  return (
    one.ends.length === other.ends.length && one.ends.every((end, at) => end === other.ends[at])
  );
}

function identity({ ids }: TokenisedText): Grouping {
  const offsets = Uint32Array.from({ length: ids.length + 1 }, (_, at) => at);
  return {
    groups: { offsets, positions: offsets.slice(0, ids.length) },
    partners: Int32Array.from(ids, (_, at) => at),
  };
}
