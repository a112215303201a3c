import type { EvaluationDomain } from "../contract/index.ts";

/** Rows of one domain, by index. */
export interface DomainGroup {
  readonly domain: EvaluationDomain;
  readonly rows: readonly number[];
}

/** Largest number of named domains, those with the most rows; a dataset may have one per row. */
export const MOST_DOMAINS = 50;
/** Largest length of a domain's name: it is stored again for every model. */
const MOST_NAME_CHARS = 80;

/**
 * Rows by domain: domains with the most rows first, ties in dataset order; then rarer domains
 * together; then rows without one. Empty where there would be only one group.
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
