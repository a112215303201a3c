/** Largest distance of a neighbour; FuseLLM's default. */
const WINDOW = 5;

/**
 * Neighbour counts over a stream of texts (FuseLLM's co-occurrence). Each token adds one, in both
 * directions, for every neighbour from 5 before to 4 after it: so neighbours at 1 to 4 count twice
 * and those at 5 once.
 */
export class ContextCounts {
  readonly #rows = new Map<number, Map<number, number>>();

  add(ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) {
      const end = Math.min(i + WINDOW, ids.length);
      for (let j = Math.max(0, i - WINDOW); j < end; j++) {
        if (i === j) continue;
        this.#raise(ids[i] as number, ids[j] as number);
        this.#raise(ids[j] as number, ids[i] as number);
      }
    }
  }

  /** Neighbours of a token with their counts; empty for a token that did not occur. */
  row(id: number): ReadonlyMap<number, number> {
    return this.#rows.get(id) ?? new Map();
  }

  #raise(id: number, neighbour: number): void {
    let row = this.#rows.get(id);
    if (!row) {
      row = new Map();
      this.#rows.set(id, row);
    }
    row.set(neighbour, (row.get(neighbour) ?? 0) + 1);
  }
}
