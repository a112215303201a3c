import { expect, test } from "vitest";
import { moveInAlignment } from "./alignmentKeys.ts";
import type { AlignmentLayout, TokenPlace } from "./alignmentLayout.ts";

const line = (...xs: readonly (readonly [number, number])[]) =>
  xs.map(([index, x]) => ({ index, x, width: 20 }));
/** Two lines of the pivot over the source; the second has no source tokens. */
const LAYOUT: AlignmentLayout = {
  blocks: [
    { pivot: line([0, 0], [1, 23], [2, 46]), source: line([0, 0], [1, 46]) },
    { pivot: line([3, 0]), source: [] },
    { pivot: line([4, 0]), source: line([2, 0]) },
  ],
  blockOf: { pivot: [0, 0, 0, 1, 2], source: [0, 0, 2] },
};
const pivot = (index: number): TokenPlace => ({ side: "pivot", index });
const source = (index: number): TokenPlace => ({ side: "source", index });
const move = (key: string, at: TokenPlace) => moveInAlignment(key, at, LAYOUT);

test("left and right walk along one text, over the ends of lines, and stop at its ends", () => {
  expect(move("ArrowRight", pivot(2))).toEqual(pivot(3));
  expect(move("ArrowLeft", pivot(0))).toEqual(pivot(0));
  expect(move("ArrowRight", source(2))).toEqual(source(2));
  expect(move("Home", source(1))).toEqual(source(0));
  expect(move("End", pivot(0))).toEqual(pivot(4));
});

test("down leads from the pivot to the source beneath, then to the next line of the text", () => {
  expect(move("ArrowDown", pivot(2))).toEqual(source(1));
  expect(move("ArrowDown", source(1))).toEqual(pivot(3));
  expect(move("ArrowUp", source(1))).toEqual(pivot(2));
});

test("an empty line is passed over, and beyond the last one there is nothing", () => {
  expect(move("ArrowDown", pivot(3))).toEqual(pivot(4));
  expect(move("ArrowUp", pivot(4))).toEqual(pivot(3));
  expect(move("ArrowUp", pivot(1))).toEqual(pivot(1));
  expect(move("ArrowDown", source(2))).toEqual(source(2));
});

test("other keys mean nothing here", () => {
  expect(move("Tab", pivot(0))).toBeNull();
});
