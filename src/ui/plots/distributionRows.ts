import type { Distribution, FusedRow } from "../../engine/contract/index.ts";

/**
 * Probabilities of one token in every distribution over the pivot's vocabulary: the members', then
 * the fused one.
 */
export interface DistributionRow {
  readonly id: number;
  readonly text: string;
  readonly gold: boolean;
  /** Null where the token is not among the kept entries. */
  readonly cells: readonly (number | null)[];
}

const find = (distribution: Distribution | null, id: number) =>
  distribution?.entries.find((entry) => entry.id === id)?.probability ?? null;

/**
 * Tokens of all distributions, the fused one's likeliest first, with the gold token always
 * included.
 */
export function distributionRows({ members, fused, gold }: FusedRow): readonly DistributionRow[] {
  const all = [...members.map(({ aligned }) => aligned), fused];
  const texts = new Map<number, string>();
  for (const { entries } of all.filter((one) => one !== null)) {
    for (const { id, text } of entries) texts.set(id, text);
  }
  texts.set(gold.id, gold.text);
  const rows = [...texts].map(([id, text]) => ({
    id,
    text,
    gold: id === gold.id,
    cells: all.map((distribution) => find(distribution, id)),
  }));
  const most = (cells: readonly (number | null)[]) => Math.max(...cells.map((cell) => cell ?? 0));
  return rows.toSorted(
    (a, b) =>
      (b.cells.at(-1) ?? 0) - (a.cells.at(-1) ?? 0) || most(b.cells) - most(a.cells) || a.id - b.id,
  );
}

/** Upper end of the bars: the smallest of these values that holds every probability. */
export function barScale(rows: readonly DistributionRow[], tails: readonly number[]): number {
  const most = Math.max(
    0,
    ...tails,
    ...rows.flatMap(({ cells }) => cells.map((cell) => cell ?? 0)),
  );
  return [0.1, 0.25, 0.5].find((end) => most <= end) ?? 1;
}
