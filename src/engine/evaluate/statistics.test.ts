import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../core/random.ts";
import {
  aggregateScores,
  bitsPerByteInterval,
  bootstrap,
  pairedDifference,
  quantile,
  type Score,
} from "./statistics.ts";

const LN2 = Math.LN2;

test("bits per byte and nats per token are those of the sums, not means of rates", () => {
  const whole = aggregateScores([
    { nats: 4 * LN2, tokens: 2, bytes: 8 },
    { nats: 12 * LN2, tokens: 2, bytes: 8 },
    { nats: 0, tokens: 4, bytes: 16 },
  ]);
  expect(whole.texts).toBe(3);
  expect(whole.bitsPerByte).toBeCloseTo(0.5, 12);
  expect(whole.natsPerToken).toBeCloseTo(2 * LN2, 12);
  expect(whole.perplexity).toBeCloseTo(4, 12);
});

test("nothing scored has no rates", () => {
  expect(aggregateScores([])).toEqual({
    nats: 0,
    tokens: 0,
    bytes: 0,
    texts: 0,
    natsPerToken: null,
    perplexity: null,
    bitsPerByte: null,
  });
});

test("a sum of many small numbers beside a large one keeps them", () => {
  const scores: Score[] = [{ nats: 1e16, tokens: 1, bytes: 1 }];
  for (let i = 0; i < 1000; i++) scores.push({ nats: 1, tokens: 1, bytes: 1 });
  scores.push({ nats: -1e16, tokens: 1, bytes: 1 });
  expect(aggregateScores(scores).nats).toBe(1000);
});

test.each([
  [[1, 2, 3, 4], 0, 1],
  [[1, 2, 3, 4], 1, 4],
  [[1, 2, 3, 4], 0.5, 2.5],
  [[1, 2, 3, 4, 5], 0.025, 1.1],
  [[7], 0.9, 7],
])("the quantile of %j at %f is %f", (sorted, q, expected) => {
  expect(quantile(sorted, q)).toBeCloseTo(expected, 12);
});

test("the same seed gives the same interval and another seed another", () => {
  const scores = sampleScores(40, 1);
  const first = bitsPerByteInterval(scores, { seed: 7 });
  expect(bitsPerByteInterval(scores, { seed: 7 })).toEqual(first);
  expect(bitsPerByteInterval(scores, { seed: 8 })).not.toEqual(first);
});

test("the random numbers are spread evenly over [0, 1)", () => {
  const random = createRandom(0);
  const first = [random(), random(), random()].map((value) => value * 2 ** 32);
  expect(first.every((value) => Number.isInteger(value) && value < 2 ** 32)).toBe(true);
  const numbers = Array.from({ length: 20_000 }, createRandom(3));
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  // Five standard errors of the mean of uniform numbers: 5 / sqrt(12 · 20000).
  expect(Math.abs(mean - 0.5)).toBeLessThanOrEqual(0.0103);
});

test("an interval of a mean agrees with its standard error", () => {
  const random = createRandom(11);
  const values = Array.from({ length: 400 }, () => random());
  const mean = (draw: Uint32Array) => draw.reduce((sum, i) => sum + values[i]!, 0) / draw.length;
  const { estimate, low, high } = bootstrap(400, { seed: 1, resamples: 4000 }, mean);
  const variance = values.reduce((sum, value) => sum + (value - estimate) ** 2, 0) / 400;
  const half = 1.96 * Math.sqrt(variance / 400);
  // The quantile of 4,000 resamples is itself uncertain by some 3 %; 10 % is three times that.
  expect(Math.abs(high - estimate - half)).toBeLessThanOrEqual(0.1 * half);
  expect(Math.abs(estimate - low - half)).toBeLessThanOrEqual(0.1 * half);
});

test("95 % intervals hold the truth about 95 times in 100", () => {
  let held = 0;
  for (let trial = 0; trial < 200; trial++) {
    const interval = bitsPerByteInterval(sampleScores(60, trial), { seed: trial, resamples: 400 })!;
    if (interval.low <= 1 && interval.high >= 1) held++;
  }
  // Binomial(200, 0.95) has a standard deviation of 3.1; a percentile bootstrap is a little narrow.
  expect(held).toBeGreaterThanOrEqual(176);
  expect(held).toBeLessThanOrEqual(199);
});

test("a model that is better by the same amount everywhere differs by exactly that", () => {
  const a = sampleScores(30, 2);
  const b = a.map((score) => ({ ...score, nats: score.nats - 0.1 * LN2 * score.bytes }));
  const difference = pairedDifference(a, b, { seed: 1 })!;
  for (const edge of [difference.estimate, difference.low, difference.high]) {
    expect(edge).toBeCloseTo(-0.1, 10);
  }
  expect(difference).toMatchObject({ wins: 30, ties: 0, losses: 0 });
});

test("texts that only one model scored count for neither", () => {
  const a = [
    { nats: 1, tokens: 1, bytes: 1 },
    { nats: 9, tokens: 1, bytes: 1 },
    { nats: 2, tokens: 1, bytes: 1 },
  ];
  const b = [
    { nats: 1, tokens: 1, bytes: 1 },
    { nats: 0, tokens: 0, bytes: 0 },
    { nats: 4, tokens: 1, bytes: 1 },
  ];
  const difference = pairedDifference(a, b, { seed: 1 })!;
  expect(difference.estimate).toBeCloseTo(1 / LN2, 12);
  expect(difference).toMatchObject({ wins: 0, ties: 1, losses: 1 });
});

test("one text has no interval", () => {
  const one = [{ nats: 1, tokens: 1, bytes: 1 }];
  expect(bitsPerByteInterval(one, { seed: 1 })).toBeNull();
  expect(pairedDifference(one, one, { seed: 1 })).toBeNull();
});

test("swapping the models turns the difference round", () => {
  const score = fc.record({
    nats: fc.double({ min: 0, max: 100, noNaN: true }),
    tokens: fc.integer({ min: 1, max: 50 }),
    bytes: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(score, score), { minLength: 2, maxLength: 8 }), (pairs) => {
      const a = pairs.map(([x]) => x);
      const b = pairs.map(([, y]) => y);
      const options = { seed: 3, resamples: 50 };
      const there = pairedDifference(a, b, options)!;
      const back = pairedDifference(b, a, options)!;
      expect(back.estimate).toBeCloseTo(-there.estimate, 9);
      expect(back.low).toBeCloseTo(-there.high, 9);
      expect([back.wins, back.losses]).toEqual([there.losses, there.wins]);
    }),
    { seed: 9, numRuns: 100 },
  );
});

/** Texts of 50 bytes whose bits per byte scatter around 1. */
function sampleScores(count: number, seed: number): readonly Score[] {
  const random = createRandom(seed + 1000);
  return Array.from({ length: count }, () => {
    const scatter = random() + random() + random() - 1.5;
    return { nats: (1 + scatter) * LN2 * 50, tokens: 10, bytes: 50 };
  });
}
