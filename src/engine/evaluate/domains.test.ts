import fc from "fast-check";
import { expect, test } from "vitest";
import { groupDomains, MOST_DOMAINS } from "./domains.ts";

test("the domain with the most rows comes first, rows that say nothing last", () => {
  expect(groupDomains([null, "b", "a", "c", "a", " ", "c"])).toEqual([
    { domain: { kind: "named", name: "a" }, rows: [2, 4] },
    { domain: { kind: "named", name: "c" }, rows: [3, 6] },
    { domain: { kind: "named", name: "b" }, rows: [1] },
    { domain: { kind: "none" }, rows: [0, 5] },
  ]);
});

test.each([[[]], [["a", "a"]], [[null, null]]])("%j are of one domain: no table", (domains) => {
  expect(groupDomains(domains)).toEqual([]);
});

test("what is rarer than the fifty is counted together, in the order of its rows", () => {
  const domains = Array.from({ length: 53 }, (_, i) => `domain ${i}`);
  const groups = groupDomains([...domains.slice(50), ...domains, ...domains.slice(0, 50)]);
  expect(groups).toHaveLength(MOST_DOMAINS + 1);
  // Each has two rows; the three that stand first in the dataset are named before the others.
  expect(groups[0]).toEqual({ domain: { kind: "named", name: "domain 50" }, rows: [0, 53] });
  const others = groups.at(-1);
  expect(others?.domain).toEqual({ kind: "others", count: 3 });
  expect(others?.rows).toEqual([50, 51, 52, 103, 104, 105]);
});

test("long names are cut, by letters", () => {
  const [first] = groupDomains(["🦙".repeat(81), "a"]);
  expect(first?.domain).toEqual({ kind: "named", name: `${"🦙".repeat(79)}…` });
});

test("every row is in one group, at most fifty-two of them", () => {
  const domain = fc.option(fc.stringMatching(/^[a-z]{1,2}$/));
  fc.assert(
    fc.property(fc.array(domain, { maxLength: 300 }), (domains) => {
      const groups = groupDomains(domains);
      expect(groups.length).toBeLessThanOrEqual(MOST_DOMAINS + 2);
      if (groups.length === 0) return;
      const rows = groups.flatMap((group) => group.rows).sort((a, b) => a - b);
      expect(rows).toEqual(domains.map((_, row) => row));
    }),
    { seed: 6, numRuns: 100 },
  );
});
