import fc from "fast-check";
import { expect, test } from "vitest";
import { alignOffsets } from "./offsets.ts";

const ends = (...lengths: readonly number[]) => {
  let end = 0;
  return Uint32Array.from(lengths, (length) => {
    end += length;
    return end;
  });
};

function groupsOf({ groups: { offsets, positions } }: ReturnType<typeof alignOffsets>) {
  return Array.from({ length: offsets.length - 1 }, (_, at) => [
    ...positions.subarray(offsets[at]!, offsets[at + 1]!),
  ]);
}

test.each([
  ["a word in pieces", [0, 4, 3], [0, 1, 3, 3], [0, 2, 3], [[0], [1, 2], [3]]],
  ["pieces of a word", [0, 1, 3, 3], [0, 4, 3], [0, -1, 1, 2], [[0], [1], [1], [2]]],
  ["a beginning that only one has", [0, 2], [2], [-1, 0], [[0], [0]]],
  ["a space that only one puts in front", [0, 2], [0, 0, 2], [1, 2], [[0, 1], [2]]],
  ["runs of unequal length", [0, 0, 0, 2], [0, 0, 2], [0, -1, 1, 2], [[0], [1], [1], [2]]],
  ["no common end but the last", [2, 2, 2], [3, 3], [-1, -1, 1], [[0], [0, 1], [1]]],
  ["a source that goes on", [2], [2, 3], [0], [[0, 1]]],
] as const)("%s", (_, pivot, source, sameEnd, groups) => {
  const aligned = alignOffsets(ends(...pivot), ends(...source));
  expect([...aligned.sameEnd]).toEqual(sameEnd);
  expect(groupsOf(aligned)).toEqual(groups);
});

test("without tokens on one side there is nothing to group", () => {
  expect(groupsOf(alignOffsets(ends(1, 1), ends()))).toEqual([[], []]);
  expect(groupsOf(alignOffsets(ends(), ends(1)))).toEqual([]);
});

/** Where a text of 30 bytes is cut; 0 stands for a token without text. */
const cuts = fc
  .array(fc.nat(30), { maxLength: 20 })
  .map((all) => Uint32Array.from([...all, 30].sort((a, b) => a - b)));

test("equal ends give the identity", () => {
  fc.assert(
    fc.property(cuts, (own) => {
      const aligned = alignOffsets(own, own);
      const identity = Array.from(own, (_, at) => at);
      expect([...aligned.sameEnd]).toEqual(identity);
      expect(groupsOf(aligned)).toEqual(identity.map((at) => [at]));
    }),
  );
});

test("rows are taken exactly where both end, once; groups are never empty nor go back", () => {
  fc.assert(
    fc.property(cuts, cuts, (pivot, source) => {
      const aligned = alignOffsets(pivot, source);
      const taken = [...aligned.sameEnd.entries()].filter(([, j]) => j >= 0);
      for (const [i, j] of taken) expect(source[j]).toBe(pivot[i]);
      const partners = taken.map(([, j]) => j);
      expect(new Set(partners).size).toBe(partners.length);
      expect(partners).toEqual(partners.toSorted((a, b) => a - b));
      // Of each run that ends at one byte the last has the source's last.
      for (const [i, end] of pivot.entries()) {
        if (pivot[i + 1] === end || !source.includes(end)) continue;
        expect(aligned.sameEnd[i]).toBe(source.lastIndexOf(end));
      }
      const groups = groupsOf(aligned);
      expect(groups.every((group) => group.length > 0)).toBe(true);
      const all = groups.flat();
      expect([all[0], all.at(-1)]).toEqual([0, source.length - 1]);
      expect(all.every((j, at) => at === 0 || (j >= all[at - 1]! && j - all[at - 1]! <= 1))).toBe(
        true,
      );
      for (const [i, j] of taken) expect(groups[i]).toContain(j);
    }),
  );
});
