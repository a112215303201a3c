import { expect, test } from "vitest";
import { fakeDocument } from "../../stores/fakeFusion.ts";
import { nextMatch, pivotOf, readAlignment } from "./alignedTexts.ts";
import { fitsFilter } from "./ReasonLegend.tsx";

const DOCUMENT = fakeDocument(0);
const [SOURCE] = DOCUMENT.sources;
if (!SOURCE) throw new Error("the document has a source");
const TEXTS = readAlignment(DOCUMENT, SOURCE, "ember");
const label = (side: "pivot" | "source", index: number) => TEXTS.labelOf({ side, index });

test("a label says the token, its reason, its partners, and where byte offsets differ", () => {
  expect(label("pivot", 0)).toBe(
    "·The, ember: same end, both texts end at the same byte; partner ·The",
  );
  expect(label("pivot", 3)).toBe(
    "'s, ember: joined, several source tokens make up the pivot’s; partner ' s; the row of '; byte offsets would take s",
  );
  expect(label("pivot", 6)).toBe("., ember: nothing is learned after it");
  expect(label("source", 1)).toBe("·king, flint: partner ·k ing");
});

test("a source's token leads to the pivot's where its row stands, else to its last partner", () => {
  expect(pivotOf(TEXTS, { side: "pivot", index: 4 })).toBe(4);
  expect(pivotOf(TEXTS, { side: "source", index: 1 })).toBe(2);
  expect(pivotOf(TEXTS, { side: "source", index: 3 })).toBe(3);
  const alone = { ...TEXTS, partners: TEXTS.partners.map(() => []) };
  expect(pivotOf(alone, { side: "source", index: 0 })).toBeNull();
});

test("the next token with a reason is found round the end, backwards too", () => {
  const fits = (index: number) => fitsFilter("no match", SOURCE.links[index]);
  expect(nextMatch(7, 1, 1, fits)).toBe(4);
  expect(nextMatch(7, 4, 1, fits)).toBe(1);
  expect(nextMatch(7, 1, -1, fits)).toBe(4);
  expect(nextMatch(7, 0, 1, (index) => fitsFilter("differs", SOURCE.links[index]))).toBe(3);
  expect(nextMatch(7, 0, 1, (index) => fitsFilter("empty", SOURCE.links[index]))).toBeNull();
});
