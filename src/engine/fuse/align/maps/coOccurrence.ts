import { editDistance } from "../editDistance.ts";
import type { Vocabulary } from "../types.ts";
import type { ContextCounts } from "./contextCounts.ts";
import { NO_TARGET, remarkedPieces, type Targets } from "./exact.ts";
import { NearestString } from "./nearest.ts";

/** Epsilon that keeps the cosine of empty vectors from being 0 / 0. */
const EPSILON = 1e-6;

/** Neighbour counts of both vocabularies over the same texts, without special tokens. */
export interface Contexts {
  readonly pivot: ContextCounts;
  readonly source: ContextCounts;
}

/**
 * FuseLLM's `co_occurrence` map: of several pivot strings equally near a source string, the one
 * whose neighbours are most similar by cosine to the source token's, the first id on ties.
 * Neighbours are compared through `mined`: a pivot token takes the counts of the last source token
 * mapped to it.
 */
export function coOccurrenceTargets(
  pivot: Vocabulary,
  source: Vocabulary,
  mined: Targets,
  contexts: Contexts,
): Targets {
  const targets = mined.slice();
  const strings = remarkedPieces(pivot, source);
  const pivotPieces = Array.from({ length: pivot.size }, (_, id) => pivot.piece(id));
  let nearest: NearestString | undefined; // Not needed where all strings are equal.
  const partner = new Map<number, number>();
  for (const [sourceId, pivotId] of mined.entries()) partner.set(pivotId, sourceId);
  partner.delete(NO_TARGET);

  for (const [sourceId, string] of strings.entries()) {
    const pivotId = mined[sourceId] as number;
    // Without neighbours all candidates tie, and the first is the one that `mined` found.
    const row = contexts.source.row(sourceId);
    if (pivotId === NO_TARGET || pivotPieces[pivotId] === string || row.size === 0) continue;
    const own = new Map<number, number>();
    for (const [neighbour, count] of row) {
      const shared = mined[neighbour] as number;
      if (partner.get(shared) === neighbour) own.set(shared, count);
    }
    nearest ??= new NearestString(pivotPieces);
    const distance = editDistance(string, pivotPieces[pivotId] as string);
    let best = { pivotId, likeness: Number.NEGATIVE_INFINITY };
    for (const candidate of nearest.within(string, distance)) {
      const likeness = cosine(own, contexts.pivot.row(candidate), partner);
      if (likeness > best.likeness) best = { pivotId: candidate, likeness };
    }
    targets[sourceId] = best.pivotId;
  }
  return targets;
}

/** Cosine of two sparse rows over the pivot's ids, restricted to `columns`. */
function cosine(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
  columns: ReadonlyMap<number, number>,
): number {
  let product = 0;
  let squaresOfB = 0;
  for (const [id, count] of b) {
    if (!columns.has(id)) continue;
    squaresOfB += count * count;
    product += count * (a.get(id) ?? 0);
  }
  let squaresOfA = 0;
  for (const count of a.values()) squaresOfA += count * count;
  return product / (Math.sqrt(squaresOfA) * Math.sqrt(squaresOfB) + EPSILON);
}
