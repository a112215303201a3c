import { expect, test } from "vitest";
import { moveFocus } from "./gridKeys.ts";

const cell = (key: string, column: number, span = 1) => ({ key, column, span });
const ROWS = [
  { cells: [cell("embed", 0, 3)] },
  { cells: [cell("0q", 0), cell("0k", 1), cell("0v", 2)] },
  { cells: [cell("1q", 0), cell("1v", 2)] },
  { cells: [cell("norm", 0, 3)] },
];

test.each([
  ["ArrowRight", "0q", "0k"],
  ["ArrowRight", "0v", "0v"],
  ["ArrowLeft", "0q", "0q"],
  ["ArrowDown", "embed", "0q"],
  ["ArrowDown", "0v", "1v"],
  ["ArrowDown", "0k", "1q"],
  ["ArrowDown", "1v", "norm"],
  ["ArrowUp", "0v", "embed"],
  ["ArrowUp", "embed", "embed"],
  ["PageDown", "0k", "norm"],
  ["Home", "0v", "0q"],
  ["End", "0q", "0v"],
])("%s leads from %s to %s", (key, from, to) => {
  expect(moveFocus(ROWS, from, key, false)).toBe(to);
});

test("with Control, Home and End lead to the first and the last cell of all", () => {
  expect(moveFocus(ROWS, "0k", "Home", true)).toBe("embed");
  expect(moveFocus(ROWS, "0k", "End", true)).toBe("norm");
});

test("a key that means nothing here is left to others", () => {
  expect(moveFocus(ROWS, "0k", "a", false)).toBeNull();
});
