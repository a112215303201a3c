import type { Groups } from "./types.ts";

export interface OffsetAlignment {
  readonly groups: Groups;
  /**
   * Source position whose text ends at the same byte, for each pivot position; -1 where there is
   * none.
   */
  readonly sameEnd: Int32Array<ArrayBuffer>;
}

/**
 * Walks two tokenisations of one text by where their tokens end: a source's row is about the same
 * next byte as the pivot's exactly where both end together. Linear time, nothing to tie.
 *
 * Tokens without text of their own (a token for the beginning, a space that the vocabulary adds) end
 * where the one before does. Of such runs the first pair up in order, and the last with the last:
 * there the next token stands for text in both.
 */
export function alignOffsets(pivotEnds: Uint32Array, sourceEnds: Uint32Array): OffsetAlignment {
  const [m, n] = [pivotEnds.length, sourceEnds.length];
  const offsets = new Uint32Array(m + 1);
  const sameEnd = new Int32Array(m).fill(-1);
  const path = new Uint32Array(n + m);
  let [i, j, steps] = [0, 0, 0];
  while (m > 0 && n > 0) {
    path[steps++] = j;
    const [pivotEnd, sourceEnd] = [pivotEnds[i]!, sourceEnds[j]!];
    const pivotGoesOn = pivotEnds[i + 1] === pivotEnd;
    const sourceGoesOn = sourceEnds[j + 1] === sourceEnd;
    const met = pivotEnd === sourceEnd && pivotGoesOn === sourceGoesOn;
    if (met) sameEnd[i] = j;
    if (i === m - 1 && j === n - 1) break;
    const pivotBehind = pivotEnd < sourceEnd || (pivotEnd === sourceEnd && pivotGoesOn);
    const nextPivot = i < m - 1 && (met || pivotBehind || j === n - 1);
    const nextSource = j < n - 1 && (met || !pivotBehind || i === m - 1);
    if (nextPivot) offsets[++i] = steps;
    if (nextSource) j++;
  }
  offsets[m] = steps;
  return { groups: { offsets, positions: path.slice(0, steps) }, sameEnd };
}
