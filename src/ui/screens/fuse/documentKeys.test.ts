import { expect, test } from "vitest";
import { moveInList } from "./documentKeys.ts";

test.each([
  ["ArrowDown", 3, 4],
  ["ArrowDown", 9, 9],
  ["ArrowUp", 0, 0],
  ["PageDown", 3, 7],
  ["PageDown", 8, 9],
  ["PageUp", 2, 0],
  ["Home", 5, 0],
  ["End", 5, 9],
  ["Tab", 5, null],
])("%s at %i of ten leads to %s", (key, at, next) => {
  expect(moveInList(key, at, 10, 4)).toBe(next);
});
