import fc from "fast-check";
import { expect, test } from "vitest";
import { alignedTokens, unitEnds } from "./textRanges.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).byteLength;

test("byte ends become UTF-16 units; a cut character goes to the token that completes it", () => {
  const text = "é🐈x";
  const ends = Uint32Array.of(0, 1, 2, 4, 6, 7);
  expect([...unitEnds(text, ends)]).toEqual([0, 0, 1, 1, 3, 4]);
  const ids = Uint32Array.of(9, 8, 7, 6, 5, 4);
  const tokens = alignedTokens(text, { ids, ends }, (id) => `<id ${id}>`);
  expect(tokens.map((token) => token.text)).toEqual(["<id 9>", "<id 8>", "é", "<id 6>", "🐈", "x"]);
});

test("whatever the text and the ends, tokens follow each other and cut no character", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      (raw, shares) => {
        const text = raw.toWellFormed();
        const total = bytesOf(text);
        const ends = Uint32Array.from(
          shares.map((share) => Math.round(share * total)).sort((a, b) => a - b),
        );
        const units = unitEnds(text, ends);
        for (const [i, unit] of units.entries()) {
          expect(unit).toBeGreaterThanOrEqual(units[i - 1] ?? 0);
          const before = text.slice(0, unit);
          expect(before.isWellFormed()).toBe(true);
          expect(bytesOf(before)).toBeLessThanOrEqual(ends[i]!);
          expect(ends[i]! - bytesOf(before)).toBeLessThan(4);
        }
      },
    ),
  );
});
