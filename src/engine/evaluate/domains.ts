import type { EvaluationDomain } from "../contract/index.ts";

/** The rows of one domain, by their places. */
export interface DomainGroup {
  readonly domain: EvaluationDomain;
  readonly rows: readonly number[];
}

/** Domains that are told apart, those with the most rows; a dataset may have one for every row. */
export const MOST_DOMAINS = 50;
/** Longer names are cut: they are written again for every model. */
const MOST_NAME_CHARS = 80;

/**
 * Rows by what they say they are about: the domains with the most rows first, of as many the one that
 * comes first in the dataset; then what is rarer, together; then rows that say nothing. Empty where
 * there would be one group: it would only repeat the whole.
 */
export function groupDomains(domains: readonly (string | null)[]): readonly DomainGroup[] {
  const none: number[] = [];
  const byName = new Map<string, number[]>();
  for (const [row, domain] of domains.entries()) {
    const name = domain === null ? "" : shorten(domain);
    const rows = name === "" ? none : (byName.get(name) ?? []);
    rows.push(row);
    if (name !== "") byName.set(name, rows);
  }
  const named = [...byName].sort(([, a], [, b]) => b.length - a.length);
  const rest = named.slice(MOST_DOMAINS);
  const others = rest.flatMap(([, rows]) => rows).sort((a, b) => a - b);
  const groups: readonly DomainGroup[] = [
    ...named
      .slice(0, MOST_DOMAINS)
      .map(([name, rows]): DomainGroup => ({ domain: { kind: "named", name }, rows })),
    { domain: { kind: "others", count: rest.length }, rows: others },
    { domain: { kind: "none" }, rows: none },
  ].filter(({ rows }) => rows.length > 0) as readonly DomainGroup[];
  return groups.length > 1 ? groups : [];
}

function shorten(domain: string): string {
  const letters = [...domain.trim()];
  return letters.length <= MOST_NAME_CHARS
    ? letters.join("")
    : `${letters.slice(0, MOST_NAME_CHARS - 1).join("")}…`;
}
