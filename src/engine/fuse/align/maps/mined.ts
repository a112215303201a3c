import type { Pool } from "../../../core/threadPool.ts";
import type { Vocabulary } from "../types.ts";
import { exactTargets, NO_TARGET, remarkedPieces, type Targets } from "./exact.ts";
import { NearestString } from "./nearest.ts";

/** Strings per piece of work: some ten milliseconds against vocabularies of 150,000. */
const STRINGS_A_PIECE = 64;

/** Task for a thread: finds the nearest pivot string of some source strings. */
export function nearestTask(pivotPieces: readonly string[]) {
  const nearest = new NearestString(pivotPieces);
  return (strings: readonly string[]): Int32Array<ArrayBuffer> =>
    Int32Array.from(strings, (string) => nearest.find(string).index);
}

export type MapTasks = { readonly nearest: typeof nearestTask };

export interface Watched {
  readonly signal?: AbortSignal;
  /** Called with the number of strings mapped, and of all. */
  readonly progress?: (done: number, total: number) => void;
}

/** All strings of a vocabulary; "" for unused ids. */
export function piecesOf(vocabulary: Vocabulary): readonly string[] {
  return Array.from({ length: vocabulary.size }, (_, id) => vocabulary.piece(id));
}

/**
 * FuseLLM's "MinED": the equal string, else the pivot's string with the smallest Levenshtein
 * distance, the first id on ties. Every string finds one. Of 32,000 × 152,000 strings it takes
 * seconds, the other way round half a minute a core. Throws the signal's reason when it is aborted.
 */
export async function minedTargets(
  pivot: Vocabulary,
  source: Vocabulary,
  pool: Pool<MapTasks>,
  { signal, progress }: Watched = {},
): Promise<Targets> {
  const targets = exactTargets(pivot, source);
  const strings = remarkedPieces(pivot, source);
  const open = [...strings.keys()].filter((id) => targets[id] === NO_TARGET && strings[id] !== "");
  let done = source.size - open.length;
  progress?.(done, source.size);
  if (open.length === 0) return targets;

  const work = pool.open("nearest", piecesOf(pivot));
  const mapSome = async (ids: readonly number[]) => {
    const some = ids.map((id) => strings[id] as string);
    const found = await work.run(some, signal);
    for (const [i, id] of ids.entries()) targets[id] = found[i] as number;
    done += ids.length;
    progress?.(done, source.size);
  };
  try {
    const starts = Array.from({ length: Math.ceil(open.length / STRINGS_A_PIECE) }, (_, i) => i);
    await Promise.all(
      starts.map((i) => mapSome(open.slice(i * STRINGS_A_PIECE, (i + 1) * STRINGS_A_PIECE))),
    );
  } finally {
    work.close();
  }
  return targets;
}
