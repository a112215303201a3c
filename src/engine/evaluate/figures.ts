import type { DomainFigures, EvaluationFigures } from "../contract/index.ts";
import type { DomainGroup } from "./domains.ts";
import {
  aggregateScores,
  estimateBitsPerByte,
  pairedDifference,
  type Score,
} from "./statistics.ts";

/**
 * What a table says about one model's scores, row by row. Rows that it could not be asked for have no
 * bytes, and count for nothing. `reference` has the scores of another model on the same rows, in the
 * same order; null where there is none to compare with.
 */
export function makeFigures(
  scores: readonly Score[],
  reference: readonly Score[] | null,
): EvaluationFigures {
  const scored = scores.filter(({ bytes }) => bytes > 0);
  const { texts, tokens, bytes, natsPerToken, bitsPerByte } = aggregateScores(scored);
  return {
    rows: texts,
    tokens,
    bytes,
    natsPerToken,
    bitsPerByte,
    interval: estimateBitsPerByte(scores)?.interval ?? null,
    difference: reference && pairedDifference(reference, scores),
  };
}

/** The same for the rows of each domain alone. */
export function makeDomainFigures(
  groups: readonly DomainGroup[],
  scores: readonly Score[],
  reference: readonly Score[] | null,
): readonly DomainFigures[] {
  return groups.map(({ domain, rows }) => {
    const pick = (all: readonly Score[]) => rows.map((row) => all[row]!);
    return { domain, ...makeFigures(pick(scores), reference && pick(reference)) };
  });
}
