import { describe, expect, test } from "vitest";
import { surprisalStep } from "./colours.ts";
import {
  formatArchitecture,
  formatBits,
  formatBytes,
  formatBytesOf,
  formatCount,
  formatDuration,
  formatLayers,
  formatNumber,
  formatPercent,
  formatProbability,
  formatQuantity,
  formatRate,
  formatShape,
  formatShare,
  formatSpeed,
  formatWhen,
} from "./format.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9_949, "9.9 kB"],
    [9_950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [2_147_483_648, "2.1 GB"],
    [58e9, "58 GB"],
  ])("%d are shown as %s", (bytes, text) => expect(plain(formatBytes(bytes))).toBe(text));

  test("a part names its unit only where the whole has another", () => {
    expect(plain(formatBytesOf(2.1e9, 58e9))).toBe("2.1 of 58 GB");
    expect(plain(formatBytesOf(9.8e6, 10.7e9))).toBe("9.8 MB of 11 GB");
    expect(plain(formatBytesOf(0, 10.7e9))).toBe("0 of 11 GB");
  });

  test("a speed is bytes per second", () => expect(plain(formatSpeed(412e6))).toBe("412 MB/s"));
});

test.each([
  [0.3, "under a second"],
  [1, "1 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [185, "3 min 05 s"],
  [3600, "1 h 00 min"],
  [8_070, "2 h 15 min"],
])("%d seconds are %s", (seconds, text) => expect(plain(formatDuration(seconds))).toBe(text));

test.each([
  [null, "–"],
  [Number.NaN, "–"],
  [0, "0"],
  [0.0412345, "0.04123"],
  [-12.5, "−12.5"],
  [2.34e-5, "2.34e−5"],
  [1.5e7, "1.50e7"],
])("the number %s is shown as %s", (value, text) => expect(formatNumber(value)).toBe(text));

test("counts, shares and per cent keep sensible digits", () => {
  expect(formatCount(44032)).toBe("44,032");
  expect(plain(formatQuantity(1_221_248))).toBe("1.2 M");
  expect(plain(formatQuantity(7.24e9))).toBe("7.2 B");
  expect(formatShare(0.1619)).toBe("0.162");
  expect(formatShare(-0.25)).toBe("−0.250");
  expect(formatShare(-1e-9)).toBe("0.000");
  expect(plain(formatPercent(0.061))).toBe("6.1 %");
  expect(plain(formatPercent(0.42))).toBe("42 %");
});

test("small probabilities are not nothing, and no difference has no sign", () => {
  expect(plain(formatProbability(0.0004))).toBe("< 0.1 %");
  expect(plain(formatProbability(0))).toBe("0.0 %");
  expect(plain(formatProbability(0.413))).toBe("41 %");
  expect(formatBits(-0.0001)).toBe("0.000");
  expect(formatBits(-0.25)).toBe("−0.250");
  expect(formatBits(null)).toBe("–");
  expect(formatRate(8.21)).toBe("8.2");
  expect(formatRate(412.3)).toBe("412");
});

test.each([
  [0, 0],
  [0.99, 0],
  [1, 1],
  [6.5, 6],
  [7, 7],
  [40, 7],
  [Number.NaN, 0],
  [Number.POSITIVE_INFINITY, 7],
])("a surprisal of %d nats has the colour of step %d", (nats, step) => {
  expect(surprisalStep(nats)).toBe(step);
});

test("shapes and architectures read as people say them", () => {
  expect(formatShape([344, 128])).toBe("344 × 128");
  expect(formatShape([])).toBe("scalar");
  expect(formatArchitecture("LlamaForCausalLM")).toBe("Llama");
  expect(formatArchitecture("GPT2LMHeadModel")).toBe("GPT2");
  expect(formatArchitecture(null)).toBe("unknown architecture");
});

test("a time of today carries no date, any other does", () => {
  const now = new Date(2026, 10, 22, 18, 0).getTime();
  expect(formatWhen(new Date(2026, 10, 22, 14, 3).getTime(), now)).toBe("today 14:03");
  expect(formatWhen(new Date(2026, 10, 21, 14, 3).getTime(), now)).toBe("21 Nov 2026 14:03");
});

test("layers name the last one", () => {
  expect(formatLayers([0, 16])).toBe("0–15");
  expect(formatLayers([7, 8])).toBe("7");
});
