import { EngineError, type FusionCard } from "../../contract/index.ts";

/**
 * Largest number of distinct reasons: reasons with names in them would otherwise fill the memory.
 */
const MOST_REASONS = 100;
const OTHER_REASONS = "other reasons";

/** What was left out, by reason: the count and the first place. */
export type Dropped = Readonly<Record<string, { readonly count: number; readonly first: string }>>;

/** Counts dropped items, or refuses them, as the settings ask. */
export class DroppedCounter {
  readonly #refuses: boolean;
  readonly #reasons: Map<string, { readonly count: number; readonly first: string }>;

  constructor(badRows: "skip" | "refuse", before: Dropped = {}) {
    this.#refuses = badRows === "refuse";
    this.#reasons = new Map(Object.entries(before));
  }

  /**
   * Counts a bad row at a place such as "chats.jsonl, row 12"; `usage` where bad rows are refused.
   */
  add(reason: string, where: string, count = 1): void {
    if (count === 0) return;
    if (this.#refuses) {
      throw new EngineError(
        "usage",
        `${where}: ${reason}. Mend or remove it, or let bad rows be skipped.`,
        { where, reason },
      );
    }
    this.count(reason, where, count);
  }

  /** Counts an item that is dropped under any settings. */
  count(reason: string, where: string, count = 1): void {
    if (count === 0) return;
    const known = this.#reasons.has(reason) || this.#reasons.size < MOST_REASONS;
    const key = known ? reason : OTHER_REASONS;
    const before = this.#reasons.get(key);
    const first = before?.first ?? where;
    this.#reasons.set(key, { count: (before?.count ?? 0) + count, first });
  }

  state(): Dropped {
    return Object.fromEntries(this.#reasons);
  }
}

/** Dropped items for a card, the most frequent reason first. */
export function droppedCard(dropped: Dropped): FusionCard["dropped"] {
  return Object.entries(dropped)
    .map(([reason, { count, first }]) => ({ reason: `${reason} (first: ${first})`, count }))
    .sort((a, b) => b.count - a.count);
}
