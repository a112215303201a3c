import fc from "fast-check";
import { expect, test } from "vitest";
import type { TokenEncoding } from "../tokenizers/tokenizer.ts";
import { supervisedTokens } from "./masks.ts";

/** An encoding with these boundaries, in characters that are one byte each. */
function encodingOf(...boundaries: readonly number[]): TokenEncoding {
  const chars = Uint32Array.from(boundaries);
  return {
    ids: new Uint32Array(boundaries.length - 1),
    spans: { bytes: chars, chars },
    byteLength: boundaries.at(-1)!,
    unread: false,
  };
}

test("a token is learned when any of its characters is", () => {
  const encoding = encodingOf(0, 2, 4, 6, 8);
  expect([...supervisedTokens(encoding, [{ start: 2, end: 4 }])]).toEqual([0, 1, 0, 0]);
  expect([...supervisedTokens(encoding, [{ start: 3, end: 5 }])]).toEqual([0, 1, 1, 0]);
  expect([
    ...supervisedTokens(encoding, [
      { start: 0, end: 1 },
      { start: 7, end: 8 },
    ]),
  ]).toEqual([1, 0, 0, 1]);
});

test("an empty range and no range teach nothing", () => {
  const encoding = encodingOf(0, 2, 4);
  expect([...supervisedTokens(encoding, [])]).toEqual([0, 0]);
  expect([...supervisedTokens(encoding, [{ start: 2, end: 2 }])]).toEqual([0, 0]);
});

test("a token without text goes with the token after it", () => {
  // <s> and a space put in front, then two tokens, the first of which spells half a character.
  const encoding = encodingOf(0, 0, 0, 3, 3, 5, 5);
  expect([...supervisedTokens(encoding, [{ start: 0, end: 3 }])]).toEqual([1, 1, 1, 0, 0, 0]);
  expect([...supervisedTokens(encoding, [{ start: 3, end: 5 }])]).toEqual([0, 0, 0, 1, 1, 0]);
});

test("ranges that overlap or leave the text are our own mistake", () => {
  const encoding = encodingOf(0, 2, 4);
  const overlapping = [
    { start: 0, end: 3 },
    { start: 2, end: 4 },
  ];
  expect(() => supervisedTokens(encoding, overlapping)).toThrow("Broken promise");
  expect(() => supervisedTokens(encoding, [{ start: 3, end: 5 }])).toThrow("Broken promise");
});

test("every learned character lies in a learned token, and only tokens that touch one are learned", () => {
  const boundaries = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(boundaries, fc.nat(60), fc.nat(60), (lengths, a, b) => {
      const edges = [0];
      for (const length of lengths) edges.push(edges.at(-1)! + length);
      const whole = edges.at(-1)!;
      const start = Math.min(a, b, whole);
      const end = Math.min(Math.max(a, b), whole);
      const mask = supervisedTokens(encodingOf(...edges), [{ start, end }]);
      for (let token = 0; token < lengths.length; token++) {
        const [from, to] = [edges[token]!, edges[token + 1]!];
        if (from < to) expect(mask[token]).toBe(from < end && to > start ? 1 : 0);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});
