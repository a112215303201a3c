import { expect, test } from "vitest";
import { largestIds, logSumExp, readToken, tokenText } from "./readTokens.ts";

const BYTES: Readonly<Record<number, readonly number[]>> = {
  0: [0x68, 0x69],
  1: [0xc3, 0xa9],
  2: [0xe2, 0x82],
  3: [0xef, 0xbb, 0xbf],
};
const tokenizer = { tokenBytes: (id: number) => Uint8Array.from(BYTES[id] ?? []) };

test.each([
  [0, "hi"],
  [1, "é"],
  [2, "<E2><82>"],
  [3, "\u{feff}"],
  [9, "<id 9>"],
])("token %i is shown as %j", (id, text) => {
  expect(tokenText(tokenizer, id)).toBe(text);
});

test("the largest are told in order, and equal ones in the order of their ids", () => {
  const logits = Float32Array.of(1, 5, Number.NaN, 5, -2, 7);
  expect(largestIds(logits, 4)).toEqual([5, 1, 3, 0]);
  expect(largestIds(logits, 20)).toEqual([5, 1, 3, 0, 4]);
  expect(largestIds(logits, 0)).toEqual([]);
});

test("logits near float32's end do not overflow", () => {
  for (const logit of [3e38, -3e38, 1e30]) {
    expect(logSumExp(Float32Array.of(logit, logit))).toBe(Math.fround(logit));
  }
  expect(logSumExp(Float32Array.of(1000, 1000))).toBeCloseTo(1000 + Math.LN2, 12);
});

test("surprisal is −ln p of the softmax, and likeliest tokens carry their p", () => {
  const logits = Float32Array.from([0.25, 0.5, 0.125, 0.125], Math.log);
  const { nats, top } = readToken(2, logits, tokenizer, 2);
  // Logarithms were rounded to float32: half an ulp of 2.08.
  expect(Math.abs((nats ?? 0) - Math.log(8))).toBeLessThanOrEqual(2.4e-7);
  expect(top.map(({ text }) => text)).toEqual(["é", "hi"]);
  expect(Math.abs((top[0]?.probability ?? 0) - 0.5)).toBeLessThanOrEqual(2.4e-7);
});
