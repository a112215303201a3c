import fc from "fast-check";
import { expect, test } from "vitest";
import { codePointsOf, EditDistance, editDistance } from "./editDistance.ts";

/** The definition: a whole table, cell by cell. */
function slowDistance(a: string, b: string): number {
  const [rows, columns] = [[...a], [...b]];
  let above = Array.from({ length: columns.length + 1 }, (_, j) => j);
  for (const [i, x] of rows.entries()) {
    const row = [i + 1];
    for (const [j, y] of columns.entries()) {
      const replaced = (above[j] as number) + (x === y ? 0 : 1);
      row.push(Math.min(replaced, (above[j + 1] as number) + 1, (row[j] as number) + 1));
    }
    above = row;
  }
  return above.at(-1) as number;
}

test.each([
  ["", "", 0],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["▁early", "Ġearlier", 4],
  ["😀b", "b", 1], // one code point, two UTF-16 units
  ["\ud83d", "😀", 1], // a lone surrogate is not the pair that begins with it
  ["a".repeat(31), "b".repeat(33), 33],
])("%j and %j are %i apart", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

const letters = fc.constantFrom("a", "b", "c", "▁", "é", "😀");
const words = (maxLength: number) =>
  fc.array(letters, { maxLength }).map((parts) => parts.join(""));

test("equals the definition for short strings", () => {
  fc.assert(
    fc.property(words(40), words(40), (a, b) => {
      expect(editDistance(a, b)).toBe(slowDistance(a, b));
    }),
    { numRuns: 500 },
  );
});

test("equals the definition across blocks of 32 rows", () => {
  fc.assert(
    fc.property(words(150), words(150), (a, b) => {
      expect(editDistance(a, b)).toBe(slowDistance(a, b));
    }),
    { numRuns: 200 },
  );
});

test("measures one string against many, within ranges and limits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(words(70), fc.array(words(20))), { maxLength: 5 }),
      fc.nat(8),
      (cases, limit) => {
        const distance = new EditDistance();
        for (const [pattern, texts] of cases) {
          const all = codePointsOf(texts.join(""));
          distance.from(codePointsOf(pattern));
          let start = 0;
          for (const text of texts) {
            const end = start + [...text].length;
            const expected = slowDistance(pattern, text);
            expect(distance.to(all, start, end)).toBe(expected);
            const cut = distance.to(all, start, end, limit);
            if (expected <= limit) expect(cut).toBe(expected);
            else expect(cut).toBeGreaterThan(limit);
            start = end;
          }
        }
      },
    ),
  );
});
