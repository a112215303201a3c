import { EngineError, type FusionCard } from "../../contract/index.ts";

/** Reasons that differ in a name would otherwise fill the memory. */
const MOST_REASONS = 100;
const OTHER_REASONS = "other reasons";

/** What was left out, by reason: how often, and where it happened first. */
export type Dropped = Readonly<Record<string, { readonly count: number; readonly first: string }>>;

/** Counts what is left out, or refuses it. */
export class DroppedCounter {
  readonly #refuses: boolean;
  readonly #reasons: Map<string, { readonly count: number; readonly first: string }>;

  constructor(badRows: "skip" | "refuse", before: Dropped = {}) {
    this.#refuses = badRows === "refuse";
    this.#reasons = new Map(Object.entries(before));
  }

  /** Counts something at a place such as "chats.jsonl, row 12"; `usage` where bad rows are refused. */
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

  /** Counts what is nobody's fault, and is refused by none. */
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

/** As a card shows it, the most frequent first. */
export function droppedCard(dropped: Dropped): FusionCard["dropped"] {
  return Object.entries(dropped)
    .map(([reason, { count, first }]) => ({ reason: `${reason} (first: ${first})`, count }))
    .sort((a, b) => b.count - a.count);
}
