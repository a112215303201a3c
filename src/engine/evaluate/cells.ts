import type { EvaluationCell } from "../contract/index.ts";
import type { DomainGroup } from "./domains.ts";
import { makeDomainFigures, makeFigures } from "./figures.ts";
import type { Score } from "./statistics.ts";

/** One model's scores on one dataset, row by row; rows that it could not score have no bytes. */
export interface ScoredPair {
  readonly model: string;
  readonly dataset: string;
  readonly scores: readonly Score[];
}

/**
 * Cells of a table: each model's figures, with the difference to the first model on the same
 * dataset. `groups` has each dataset's rows by domain.
 */
export function makeCells(
  pairs: readonly ScoredPair[],
  groups: ReadonlyMap<string, readonly DomainGroup[]>,
): readonly EvaluationCell[] {
  return pairs.map(({ model, dataset, scores }) => {
    const first = pairs.find((pair) => pair.dataset === dataset);
    const reference = first && first.model !== model ? first.scores : null;
    const domains = makeDomainFigures(groups.get(dataset) ?? [], scores, reference);
    const cell = { model, dataset, ...makeFigures(scores, reference) };
    return domains.length > 0 ? { ...cell, domains } : cell;
  });
}
