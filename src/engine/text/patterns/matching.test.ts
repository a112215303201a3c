import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { matchLiteral, matchRegex, WINDOW_UNITS } from "./matching.ts";

const never = () => {
  throw new Error("gave up");
};
const wholeText = (regex: RegExp, text: string) =>
  [...text.matchAll(regex)].map(({ index, 0: found }) => ({
    start: index,
    end: index + found.length,
  }));

const GPT2 = /'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

test.each([
  ["a tokenizer's pattern", GPT2],
  ["one that seldom matches", / {2,}/gu],
  ["one that matches nothing, in places", /b*/gu],
  ["one that looks back", /(?<=a)b|^\p{L}|(?<![\s\S]) +/gu],
  ["ends of the text", / +(?![\s\S])/gu],
])("%s finds the same as on the whole text", (_, regex) => {
  const unit = fc.constantFrom("a", "b", " ", "  ", "'s", "7", "🦙", "\n", ".");
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 60 }), (units) => {
      const text = units.join("");
      expect([...matchRegex(regex, never)(text)]).toEqual(wholeText(regex, text));
    }),
    { seed: 2, numRuns: 200 },
  );
});

test("matches across windows, and longer than a window, are those of the whole text", () => {
  const texts = [
    "some words 12 🦙🦙 and\n".repeat(12_000),
    `${"a".repeat(3 * WINDOW_UNITS)} b${" ".repeat(2 * WINDOW_UNITS)}c`,
    `${"x".repeat(WINDOW_UNITS - 3)} 🦙🦙 y${" ".repeat(WINDOW_UNITS)}`,
  ];
  for (const text of texts) {
    expect([...matchRegex(GPT2, never)(text)]).toEqual(wholeText(GPT2, text));
  }
});

test("what takes too long is given up instead of going on for hours", () => {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 40));
  try {
    const matches = matchRegex(/a[^b]*b|a/gu, never)("a".repeat(2000));
    expect(() => [...matches]).toThrow("gave up");
    // Ten seconds, of 40 ms each.
    expect(now).toBeLessThanOrEqual(2 * 10_080);
  } finally {
    clock.mockRestore();
  }
});

test("a text is found wherever it stands, without overlaps", () => {
  expect([...matchLiteral("aa")("aaaaa.aa")]).toEqual([
    { start: 0, end: 2 },
    { start: 2, end: 4 },
    { start: 6, end: 8 },
  ]);
});
