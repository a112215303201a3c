import type { EvaluationCell } from "../contract/index.ts";
import {
  aggregateScores,
  bitsPerByteInterval,
  pairedDifference,
  type Score,
} from "./statistics.ts";

/** The same draws for every cell, so that a table is the same whenever it is made. */
const BOOTSTRAP = { seed: 1 } as const;

/** One model's scores on one dataset, row by row; rows it could not be asked for have no bytes. */
export interface ScoredPair {
  readonly model: string;
  readonly dataset: string;
  readonly scores: readonly Score[];
}

/** The cells of a table: each pair, and how it differs from the first model on the same dataset. */
export function makeCells(pairs: readonly ScoredPair[]): readonly EvaluationCell[] {
  return pairs.map(({ model, dataset, scores }) => {
    const scored = scores.filter(({ bytes }) => bytes > 0);
    const { texts, tokens, bytes, natsPerToken, bitsPerByte } = aggregateScores(scored);
    const interval = bitsPerByteInterval(scores, BOOTSTRAP);
    const first = pairs.find((pair) => pair.dataset === dataset);
    const difference =
      first && first.model !== model ? pairedDifference(first.scores, scores, BOOTSTRAP) : null;
    return {
      ...{ model, dataset, rows: texts, tokens, bytes, natsPerToken, bitsPerByte },
      interval: interval && [interval.low, interval.high],
      difference: difference && {
        mean: difference.estimate,
        interval: [difference.low, difference.high],
      },
    };
  });
}
