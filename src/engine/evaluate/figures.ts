import type { DomainFigures, EvaluationFigures } from "../contract/index.ts";
import type { DomainGroup } from "./domains.ts";
import {
  aggregateScores,
  estimateBitsPerByte,
  pairedDifference,
  type Score,
} from "./statistics.ts";

/**
 * Figures of one model's scores, row by row. Rows that it could not score have no bytes and are
 * left out. `reference` has another model's scores on the same rows in the same order, or null.
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

/** Figures of each domain's rows. */
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
