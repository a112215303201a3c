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
      fc.array(fc.constantFrom("a", "é", "€", "🐈")),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      (characters, shares) => {
        const text = characters.join("");
        const total = bytesOf(text);
        const ends = Uint32Array.from(
          shares.map((share) => Math.round(share * total)).sort((a, b) => a - b),
        );
        const units = unitEnds(text, ends);
        return units.every((unit, i) => {
          const before = text.slice(0, unit);
          const missing = ends[i]! - bytesOf(before);
          const ordered = unit >= (units[i - 1] ?? 0);
          return ordered && before.isWellFormed() && missing >= 0 && missing < 4;
        });
      },
    ),
  );
});
