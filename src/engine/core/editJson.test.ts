import { expect, test } from "vitest";
import { setMembers } from "./editJson.ts";

test.each([
  [`{"a": 1, "b": 2}`, { a: "3" }, `{"a": 3, "b": 2}`],
  [`{"a": {"b": 1}, "b": 2}`, { b: "[]" }, `{"a": {"b": 1}, "b": []}`],
  [`{"a": 1}`, { b: `"x"` }, `{"a": 1,\n  "b": "x"}`],
  ["{}", { b: "1" }, `{\n  "b": 1\n}`],
  [`{"a": 1, "b": 2}`, { a: null }, `{"b": 2}`],
  [`{"a": 1, "b": 2}`, { b: null }, `{"a": 1}`],
  [`{"a": 1}`, { a: null, c: null }, "{}"],
] as const)("%s with %o", (text, values, wanted) => {
  expect(setMembers(text, values)).toBe(wanted);
});
