import { warp } from "./dtw.ts";
import { nearestTask } from "./maps/mined.ts";
import { PairCosts, type Spelling } from "./pairCosts.ts";
import type { TokenIds } from "./profiles/profile.ts";
import type { Groups, Vocabulary } from "./types.ts";
import { type DtwProfileName, dtwProfiles } from "./warper.ts";

/** Strings of a vocabulary's tokens in a profile's spelling, as plain data. */
interface Spelled {
  readonly plain: readonly string[];
  readonly whole: readonly string[];
}

/** Data that all documents of two models share. */
export interface WarpShared {
  readonly profile: DtwProfileName;
  readonly pivot: Spelled;
  readonly source: Spelled;
}

/** Spells two vocabularies for a profile, to be sent to threads. */
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

/** Task for a thread: warps one document after the other, as `createWarper` does. */
function warpTask({ profile, pivot, source }: WarpShared) {
  const { cost, ties } = dtwProfiles[profile];
  const costs = new PairCosts(spellingOf(source), spellingOf(pivot), cost);
  return (texts: TokenIds): Groups => warp(costs.between(texts.source, texts.pivot), ties).groups;
}

function spellingOf({ plain, whole }: Spelled): Spelling {
  return { plain: (id) => plain[id] ?? "", whole: (id) => whole[id] ?? "" };
}

/** All tasks that threads run; a pool without threads runs the same on the calling thread. */
export const alignTasks = { nearest: nearestTask, warp: warpTask } as const;
export type AlignTasks = typeof alignTasks;
