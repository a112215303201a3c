import { expect, test } from "vitest";
import { whySlow } from "./backtracking.ts";

test.each([
  ["GPT-2", String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`],
  [
    "Llama 3 and Qwen",
    String.raw`(?:'[sS]|'[tT]|'[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  ],
  [
    "GPT-4o",
    String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?:'[sS]|'[tT]|'[lL][lL])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  ],
  [
    "DeepSeek",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|[一-龥぀-ゟ゠-ヿ]+",
  ],
  ["letters with their marks", String.raw`(?:\p{L}\p{M}*)+|(?:[A-Z][a-z]+)+`],
  ["digits in threes from the right", String.raw`\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))`],
  ["BLOOM", String.raw` ?[^()|\p{White_Space}.,!?…。，、।۔،]+`],
  ["a date", String.raw`\d+-\d+-\d+-\d+`],
  ["ends of a text", String.raw`(?<![\s\S]) +| +(?![\s\S])|^\b.$`],
])("%s is fast enough", (_, source) => expect(whySlow(source)).toBeNull());

test.each([
  "(a+)+",
  "(a*)*b",
  "(?:a+)*",
  "(?:a?b?)*",
  "(a|a)*",
  String.raw`(?:\w|\d)+!`,
  String.raw`(?:\p{L}+\p{M}*)+`,
  "(?:(?:a|b*)c)*(?:(a*|b*)c)*",
  "(?:a{1,20}){1,20}",
  "(?:(?:a{1,3}){1,3}){17,}",
  "(?:ab|a|b)*",
  String.raw`(?:😀|\u{1F600})*`,
  "x(?=(a+)+b)",
  "(?<name>(?:a+)+)",
])("%s takes exponentially long", (source) => {
  expect(whySlow(source)).toMatch(/more than one way/);
});

test.each([
  [String.raw`\s*\s*\s*x`, /3 repetitions in a row/],
  ["a*a*(?=a*b)", /3 repetitions in a row/],
  ["a*ab?a*a*b", /3 repetitions/],
  [String.raw`(a)\1*`, /refers back/],
  [String.raw`(?<n>a)\k<n>`, /refers back/],
  [`${"(?:".repeat(65)}a${")".repeat(65)}`, /nests more than 64/],
  ["(?:(?:a{16}){16}){16}", /more than 512 parts/],
])("%s is refused", (source, why) => expect(whySlow(source)).toMatch(why));

test("what is refused as exponential is: a browser needs twice as long for a letter more", () => {
  const shortest = (length: number) => {
    const times = Array.from({ length: 5 }, () => {
      const begun = performance.now();
      /^(?:a|a)*$/u.test(`${"a".repeat(length)}!`);
      return performance.now() - begun;
    });
    return Math.min(...times);
  };
  // 2^8 times by the number of paths; 16 leaves room for a machine that is busy.
  expect(shortest(22)).toBeGreaterThanOrEqual(16 * shortest(14));
});
