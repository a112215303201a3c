import { warp } from "./dtw.ts";
import { nearestTask } from "./maps/mined.ts";
import { PairCosts, type Spelling } from "./pairCosts.ts";
import type { TokenIds } from "./profiles/profile.ts";
import type { Groups, Vocabulary } from "./types.ts";
import { type DtwProfileName, dtwProfiles } from "./warper.ts";

/** How a profile writes each token of a vocabulary, as plain data. */
interface Spelled {
  readonly plain: readonly string[];
  readonly whole: readonly string[];
}

/** What all documents of two models share. */
export interface WarpShared {
  readonly profile: DtwProfileName;
  readonly pivot: Spelled;
  readonly source: Spelled;
}

/** Writes two vocabularies as a profile compares them, to be sent to threads. */
export function spellBoth(
  profile: DtwProfileName,
  pivot: Vocabulary,
  source: Vocabulary,
): WarpShared {
  const write = (side: Vocabulary): Spelled => {
    const { plain, whole } = dtwProfiles[profile].spell(side, pivot);
    const all = (spell: (id: number) => string) =>
      Array.from({ length: side.size }, (_, id) => spell(id));
    return { plain: all(plain), whole: all(whole) };
  };
  return { profile, pivot: write(pivot), source: write(source) };
}

/** Warps one document after the other, as `createWarper` does: work for a thread. */
function warpTask({ profile, pivot, source }: WarpShared) {
  const { cost, ties } = dtwProfiles[profile];
  const costs = new PairCosts(spellingOf(source), spellingOf(pivot), cost);
  return (texts: TokenIds): Groups => warp(costs.between(texts.source, texts.pivot), ties).groups;
}

function spellingOf({ plain, whole }: Spelled): Spelling {
  return { plain: (id) => plain[id] ?? "", whole: (id) => whole[id] ?? "" };
}

/** All that is done in threads: what a thread is started with, and what a pool does without one. */
export const alignTasks = { nearest: nearestTask, warp: warpTask } as const;
export type AlignTasks = typeof alignTasks;
