import { expect, test } from "vitest";
import { nameToken, splitTokenText } from "./tokenText.ts";

const shown = (text: string) =>
  splitTokenText(text)
    .pieces.map(({ text: piece, mark }) => (mark ? `[${piece}]` : piece))
    .join("");

test.each([
  [" the", " the"],
  ["the", "the"],
  [" ", "[·]"],
  ["    ", "[····]"],
  ["a  b", "a[··]b"],
  ["end ", "end[·]"],
  ["\t", "[⇥]"],
  ["\n", "[↵]"],
  ["\r\n", "[↵]"],
  ["a\nb", "a[↵]\nb"],
  ["\u0000", "[␀]"],
  ["\u202eevil", "[‹U+202E›]evil"],
  ["👩‍🌾", "👩‍🌾"],
  ["", "[∅]"],
])("the token %j is shown as %s", (text, expected) => expect(shown(text)).toBe(expected));

test("line breaks at a token's end are left to the line, and counted", () => {
  expect(splitTokenText(".\n\n").breaks).toBe(2);
  expect(shown(".\n\n")).toBe(".[↵][↵]");
  expect(splitTokenText("\n\nAnd").breaks).toBe(0);
});

test("a label keeps a token on one line and every space visible", () => {
  expect(nameToken(" two words\nmore")).toBe("·two·words↵more");
});

test("a token of a million characters is cut short", () => {
  expect(shown("x".repeat(1_000_000)).length).toBeLessThanOrEqual(401);
});
