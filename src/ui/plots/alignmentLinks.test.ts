import { expect, test } from "vitest";
import { layOutAlignment } from "./alignmentLayout.ts";
import { differsFromOffsets, drawLinks, linksOf } from "./alignmentLinks.ts";

const link = (
  group: readonly number[],
  from: number | null,
  sameEnd: number | null = from,
  reason: "joined" | "no match" | null = "joined",
) => ({ group, from, sameEnd, reason });

test("the row is told from the rest of its group, and from what byte offsets would take", () => {
  expect(linksOf(link([1, 2], 2))).toEqual([
    [1, "group"],
    [2, "row"],
  ]);
  expect(linksOf(link([1], 1, 2))).toEqual([
    [1, "row"],
    [2, "offset"],
  ]);
  expect(linksOf(link([1, 2], 1, 2))).toEqual([
    [1, "row"],
    [2, "offset"],
  ]);
  expect(linksOf(link([3], null, null, "no match"))).toEqual([[3, "group"]]);
});

test("only rows that are asked about can differ from byte offsets", () => {
  expect(differsFromOffsets(link([1], 1, 2))).toBe(true);
  expect(differsFromOffsets(link([1], null, 2, "no match"))).toBe(true);
  expect(differsFromOffsets(link([1], 1, 1))).toBe(false);
  expect(differsFromOffsets(link([1], null, 2, null))).toBe(false);
});

test("a link to another line ends at the edge that it leaves by", () => {
  const tokens = [20, 40, 60].map((end) => ({ end, width: 50 }));
  const layout = layOutAlignment(tokens, tokens, 110);
  const [first, second] = layout.blocks;
  if (!first || !second) throw new Error("two lines were expected");
  const links = [link([0], 0), link([2], 2), link([1], 1)];
  expect(drawLinks(first, 0, layout, links, 110)).toEqual([
    { pivot: 0, source: 0, from: 25, to: 25, kind: "row", away: null },
    { pivot: 1, source: 2, from: 78, to: 110, kind: "row", away: "after" },
  ]);
  expect(drawLinks(second, 1, layout, links, 110)).toEqual([
    { pivot: 2, source: 1, from: 25, to: 0, kind: "row", away: "before" },
  ]);
});
