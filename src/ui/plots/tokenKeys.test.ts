import { expect, test } from "vitest";
import { moveToken } from "./tokenKeys.ts";

/** Three lines of four, two and three tokens, each 10 wide and 20 high. */
const LINES = [0, 0, 0, 0, 1, 1, 2, 2, 2];
const place = (index: number) => {
  const line = LINES[index] ?? 0;
  const left = (index - LINES.indexOf(line)) * 10;
  return { left, right: left + 10, top: line * 20 };
};
const press = (key: string, at: number) => moveToken(key, at, LINES.length, place);

test.each([
  ["ArrowRight", 3, 4],
  ["ArrowLeft", 4, 3],
  ["ArrowLeft", 0, 0],
  ["ArrowRight", 8, 8],
  ["Home", 5, 0],
  ["End", 2, 8],
  ["ArrowDown", 1, 5],
  ["ArrowDown", 3, 5],
  ["ArrowDown", 4, 6],
  ["ArrowUp", 8, 5],
  ["ArrowUp", 2, 2],
  ["ArrowDown", 7, 7],
] as const)("%s leads from token %d to token %d", (key, from, to) => {
  expect(press(key, from)).toBe(to);
});

test("a letter leads nowhere", () => expect(press("a", 3)).toBeNull());
