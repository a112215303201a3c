import type { FusionProfile } from "../../contract/index.ts";
import type { Pool } from "../../core/threadPool.ts";
import { createGrouper, type Grouping } from "./grouper.ts";
import { type AlignTasks, spellBoth } from "./tasks.ts";
import type { TokenisedText, Vocabulary } from "./types.ts";
import { sameVocabulary } from "./vocabulary.ts";

/** A `Grouper` that warps documents in parallel. */
export interface PooledGrouper {
  group(pivot: TokenisedText, source: TokenisedText, signal?: AbortSignal): Promise<Grouping>;
  close(): void;
}

/** Groups by warping in the pool's threads; profiles of linear time run on the calling thread. */
export function openPooledGrouper(
  pool: Pool<AlignTasks>,
  profile: FusionProfile,
  pivot: Vocabulary,
  source: Vocabulary,
): PooledGrouper {
  const groupHere = createGrouper(profile, pivot, source);
  if (profile === "studio" || sameVocabulary(pivot, source)) {
    return { group: async (text, other) => groupHere(text, other), close: () => {} };
  }
  const work = pool.open("warp", spellBoth(profile, pivot, source));
  return {
    async group(text, other, signal) {
      const groups = await work.run({ pivot: text.ids, source: other.ids }, signal);
      return { groups, partners: null };
    },
    close: work.close,
  };
}
