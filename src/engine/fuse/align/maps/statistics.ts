import { editDistance } from "../editDistance.ts";
import type { Vocabulary } from "../types.ts";
import { remark, unmark } from "../vocabulary.ts";
import type { AlignmentCounts, CountedPair } from "./alignmentCounts.ts";
import { NO_TARGET, type Targets } from "./exact.ts";

/** Reduction of the distance where one string, without space markers, contains the other. */
const CONTAINED = 0.1;

export interface StatisticsInputs {
  readonly pivot: Vocabulary;
  readonly source: Vocabulary;
  readonly counts: AlignmentCounts;
  /** FuseChat's version; the two compare strings differently. */
  readonly version: 1 | 2;
}

/**
 * FuseChat's mapping statistics as released (both versions): for each source token the candidate
 * with the smallest distance × sigmoid(count), the first id on ties. The sigmoid grows with the
 * count, so of two candidates as near the rarer one wins: the reverse of what the paper says.
 * Tokens that were never seen become `unk`, or `eos` without one (the second version's rule; the
 * first knows none). Only where both have a bos or an eos does it stand for the other's.
 */
export function statisticsTargets(inputs: StatisticsInputs): Targets {
  const { pivot } = inputs;
  const unseen = pivot.unkId ?? pivot.eosId ?? NO_TARGET;
  return chooseTargets(inputs, unseen, (candidates, sourceId) => {
    const cost = ({ pivotId, count }: CountedPair) =>
      distanceOf(inputs, pivotId, sourceId) * (1 / (1 + Math.exp(-count)));
    let best = { pivotId: NO_TARGET, cost: Number.POSITIVE_INFINITY };
    for (const candidate of candidates) {
      const itsCost = cost(candidate);
      if (itsCost < best.cost) best = { pivotId: candidate.pivotId, cost: itsCost };
    }
    return best.pivotId;
  });
}

/**
 * Mapping statistics as the paper describes them: the candidate with the highest count, then the
 * nearer string, then the first id. Tokens without counts are left out: `unk` would teach the pivot
 * to say it.
 */
export function countsTargets(inputs: StatisticsInputs): Targets {
  return chooseTargets(inputs, NO_TARGET, (candidates, sourceId) => {
    const most = candidates.reduce((largest, { count }) => Math.max(largest, count), 0);
    const tied = candidates
      .filter(({ count }) => count === most)
      .map(({ pivotId }) => pivotId)
      .map((pivotId) => ({ pivotId, distance: distanceOf(inputs, pivotId, sourceId) }));
    return tied.reduce((a, b) => (b.distance < a.distance ? b : a)).pivotId;
  });
}

type Choose = (candidates: readonly CountedPair[], sourceId: number) => number;

function chooseTargets(inputs: StatisticsInputs, unseen: number, choose: Choose): Targets {
  const { pivot, source, counts } = inputs;
  const targets = new Int32Array(source.size);
  for (let sourceId = 0; sourceId < source.size; sourceId++) {
    const candidates = counts.candidates(sourceId);
    targets[sourceId] = candidates.length === 0 ? unseen : choose(candidates, sourceId);
  }
  if (pivot.bosId !== null && source.bosId !== null) targets[source.bosId] = pivot.bosId;
  if (pivot.eosId !== null && source.eosId !== null) targets[source.eosId] = pivot.eosId;
  return targets;
}

/**
 * Levenshtein distance of the strings without space markers, a tenth where one contains the other.
 * Strings of markers alone contain nothing in the second version, which compares them whole; in the
 * first they are empty, and contained in every string.
 */
function distanceOf(
  { pivot, source, version }: StatisticsInputs,
  pivotId: number,
  sourceId: number,
): number {
  let a = unmark(pivot.piece(pivotId), pivot);
  let b = unmark(source.piece(sourceId), source);
  if (version === 2 && (a === "" || b === "")) {
    a = pivot.piece(pivotId);
    b = remark(source.piece(sourceId), source, pivot);
  }
  const distance = editDistance(a, b);
  return a.includes(b) || b.includes(a) ? distance * CONTAINED : distance;
}
