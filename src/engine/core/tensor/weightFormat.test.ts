import { expect, test } from "vitest";
import { byteLength } from "./dtype.ts";
import { formatBytes, PLAIN_FORMATS } from "./weightFormat.ts";

test("a plain format takes what its dtype takes in a file", () => {
  for (const format of Object.values(PLAIN_FORMATS)) {
    expect(formatBytes(format, 7)).toBe(byteLength(format.name, 7));
  }
  const codes = Object.values(PLAIN_FORMATS).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test("a block is stored whole, with its scale", () => {
  // 32 elements of 4 bits and one half as their scale: 18 bytes.
  const q4 = { name: "4 bits", code: 9, bits: 4.5, block: 32 };
  expect([0, 1, 32, 33, 64].map((count) => formatBytes(q4, count))).toEqual([0, 18, 18, 36, 36]);
});
