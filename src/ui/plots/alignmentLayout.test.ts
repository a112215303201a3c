import fc from "fast-check";
import { expect, test } from "vitest";
import { cutStretches, layOutAlignment, type SpannedToken } from "./alignmentLayout.ts";

/** Tokens of a text, ten pixels a character. */
function tokens(...texts: readonly string[]): readonly SpannedToken[] {
  let end = 0;
  return texts.map((text) => {
    end += text.length;
    return { end, width: text.length * 10 };
  });
}

const PIVOT = tokens(" The", " k", "ing", "'s", " for", "est");
const SOURCE = tokens(" The", " king", "'", "s", " forest");

test("texts are cut where both end together", () => {
  expect(cutStretches(PIVOT, SOURCE)).toEqual([
    { pivot: [0, 1], source: [0, 1] },
    { pivot: [1, 3], source: [1, 2] },
    { pivot: [3, 4], source: [2, 4] },
    { pivot: [4, 6], source: [4, 5] },
  ]);
});

test("a token without a text stays with the one it follows", () => {
  const end = { end: 4, width: 10 };
  expect(cutStretches([...tokens("abcd"), end], tokens("ab", "cd"))).toEqual([
    { pivot: [0, 2], source: [0, 2] },
  ]);
});

test("what ends together starts again together, on one line or on the next", () => {
  const { blocks, blockOf } = layOutAlignment(PIVOT, SOURCE, 130);
  expect(blocks).toHaveLength(2);
  expect(blocks[0]?.pivot).toEqual([
    { index: 0, x: 0, width: 40 },
    { index: 1, x: 43, width: 20 },
    { index: 2, x: 66, width: 30 },
    { index: 3, x: 99, width: 20 },
  ]);
  expect(blocks[0]?.source.map(({ x }) => x)).toEqual([0, 43, 99, 112]);
  expect(blocks[1]?.source).toEqual([{ index: 4, x: 0, width: 70 }]);
  expect(blockOf).toEqual({ pivot: [0, 0, 0, 0, 1, 1], source: [0, 0, 0, 0, 1] });
});

test("a stretch longer than a line is broken, a token longer than a line is cut off", () => {
  const bytes = Array.from({ length: 30 }, (_, at) => ({ end: at + 1, width: 20 }));
  const { blocks } = layOutAlignment(bytes, [{ end: 30, width: 500 }], 100);
  expect(blocks.length).toBeGreaterThanOrEqual(8);
  for (const { pivot, source } of blocks) {
    for (const { x, width } of [...pivot, ...source]) expect(x + width).toBeLessThanOrEqual(100);
  }
});

test("every token stands on exactly one line, in order, inside its width", () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 });
  fc.assert(
    fc.property(cuts, cuts, fc.integer({ min: 60, max: 700 }), (a, b, width) => {
      const sides = [a, b].map((lengths) => {
        let end = 0;
        return lengths.map((length) => {
          end += length;
          return { end, width: Math.max(8, length * 8) };
        });
      });
      const [pivot = [], source = []] = sides;
      const { blocks, blockOf } = layOutAlignment(pivot, source, width);
      for (const [side, all] of [["pivot", pivot] as const, ["source", source] as const]) {
        const placed = blocks.flatMap((block) => block[side]);
        expect(placed.map(({ index }) => index)).toEqual(all.map((_, index) => index));
        expect(blockOf[side]).toHaveLength(all.length);
        for (const [at, block] of blocks.entries()) {
          let reached = 0;
          for (const { index, x, width: own } of block[side]) {
            expect(blockOf[side][index]).toBe(at);
            expect(x).toBeGreaterThanOrEqual(reached);
            expect(x + own).toBeLessThanOrEqual(width);
            reached = x + own;
          }
        }
      }
    }),
  );
});
