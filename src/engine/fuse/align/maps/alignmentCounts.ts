import type { Groups } from "../types.ts";

/** Number of times that a pivot token and a source token were aligned. */
export interface CountedPair {
  readonly pivotId: number;
  readonly count: number;
}

/**
 * FuseChat's mapping statistics: how often each source token was aligned with each pivot token, as
 * a sparse matrix.
 */
export class AlignmentCounts {
  readonly #bySource = new Map<number, Map<number, number>>();

  /** Counts one document. A source token that occurs twice in a group counts once. */
  add(pivotIds: ArrayLike<number>, sourceIds: ArrayLike<number>, groups: Groups): void {
    for (let i = 0; i < pivotIds.length; i++) {
      const seen = new Set<number>();
      for (let at = groups.offsets[i] as number; at < (groups.offsets[i + 1] as number); at++) {
        seen.add(sourceIds[groups.positions[at] as number] as number);
      }
      for (const sourceId of seen) this.#raise(pivotIds[i] as number, sourceId, 1);
    }
  }

  count(pivotId: number, sourceId: number): number {
    return this.#bySource.get(sourceId)?.get(pivotId) ?? 0;
  }

  /** Pivot tokens that a source token was aligned with, in the order of their ids. */
  candidates(sourceId: number): readonly CountedPair[] {
    const row = this.#bySource.get(sourceId) ?? [];
    return [...row]
      .map(([pivotId, count]) => ({ pivotId, count }))
      .sort((a, b) => a.pivotId - b.pivotId);
  }

  /** All counts as [pivot id, source id, count] triples, sorted by pivot and source. */
  toTriples(): Uint32Array<ArrayBuffer> {
    const triples = [...this.#bySource].flatMap(([sourceId, row]) =>
      [...row].map(([pivotId, count]) => [pivotId, sourceId, count] as const),
    );
    triples.sort(([p, s], [q, t]) => p - q || s - t);
    return Uint32Array.from(triples.flat());
  }

  /** Adds triples of another count, in any order. */
  addTriples(triples: ArrayLike<number>): void {
    for (let i = 0; i + 2 < triples.length; i += 3) {
      this.#raise(triples[i] as number, triples[i + 1] as number, triples[i + 2] as number);
    }
  }

  #raise(pivotId: number, sourceId: number, by: number): void {
    let row = this.#bySource.get(sourceId);
    if (!row) {
      row = new Map();
      this.#bySource.set(sourceId, row);
    }
    row.set(pivotId, (row.get(pivotId) ?? 0) + by);
  }
}
