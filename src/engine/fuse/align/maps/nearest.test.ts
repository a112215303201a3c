import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance } from "../editDistance.ts";
import { NearestString } from "./nearest.ts";

/** The definition: compare with every one, the first of the nearest wins. */
function slowFind(strings: readonly string[], text: string) {
  let best = { index: -1, distance: Number.POSITIVE_INFINITY };
  for (const [index, string] of strings.entries()) {
    if (string === "") continue;
    const distance = editDistance(text, string);
    if (distance < best.distance) best = { index, distance };
  }
  return best;
}

const letters = fc.constantFrom("a", "b", "c", "▁", "Ġ", "é", "😀");
const word = fc.array(letters, { maxLength: 9 }).map((parts) => parts.join(""));
/** More letters than there are marks, and words longer than a machine word. */
const strangeWord = fc.string({ unit: "binary", maxLength: 40 });

test.each([
  ["few letters", word, 150],
  ["any letters", strangeWord, 100],
])("finds what comparing with all finds: %s", (_, texts, numRuns) => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 40 }), fc.array(texts), (strings, wanted) => {
      const nearest = new NearestString(strings);
      for (const text of wanted) {
        const expected = slowFind(strings, text);
        expect(nearest.find(text)).toEqual(expected);
        const ties = strings.flatMap((string, i) =>
          string !== "" && editDistance(text, string) <= expected.distance ? [i] : [],
        );
        expect(nearest.within(text, expected.distance)).toEqual(ties);
      }
    }),
    { numRuns },
  );
});

test("an empty vocabulary has no nearest string", () => {
  expect(new NearestString(["", ""]).find("a").index).toBe(-1);
});
