import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../core/random.ts";
import {
  aggregateScores,
  estimateBitsPerByte,
  pairedDifference,
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

test("the random numbers are spread evenly over [0, 1)", () => {
  const random = createRandom(0);
  const first = [random(), random(), random()].map((value) => value * 2 ** 32);
  expect(first.every((value) => Number.isInteger(value) && value < 2 ** 32)).toBe(true);
  const numbers = Array.from({ length: 20_000 }, createRandom(3));
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  // Five standard errors of the mean of uniform numbers: 5 / sqrt(12 · 20000).
  expect(Math.abs(mean - 0.5)).toBeLessThanOrEqual(0.0103);
});

test("of equal texts the interval is Student's of their mean", () => {
  const scores = sampleScores(9, 3);
  const rates = scores.map(({ nats, bytes }) => nats / LN2 / bytes);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / 9;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / 8;
  const half = 2.306004135 * Math.sqrt(variance / 9); // t of 8 degrees of freedom, from a table
  const { mean: found, rows, interval } = estimateBitsPerByte(scores)!;
  expect([found, rows]).toEqual([expect.closeTo(mean, 12), 9]);
  expect(interval).toEqual([expect.closeTo(mean - half, 8), expect.closeTo(mean + half, 8)]);
});

test("a long text makes the interval wider: it counts for more", () => {
  const scores = sampleScores(9, 3);
  const width = (of: readonly Score[]) => {
    const [low, high] = estimateBitsPerByte(of)!.interval!;
    return high - low;
  };
  const [first, ...others] = scores as [Score, ...Score[]];
  const longer = { ...first, nats: 8 * first.nats, bytes: 8 * first.bytes };
  expect(width([longer, ...others])).toBeGreaterThan(width(scores));
});

test("a model that is better by the same amount everywhere differs by exactly that", () => {
  const a = sampleScores(30, 2);
  const b = a.map((score) => ({ ...score, nats: score.nats - 0.1 * LN2 * score.bytes }));
  const { mean, rows, interval } = pairedDifference(a, b)!;
  for (const edge of [mean, ...interval!]) expect(edge).toBeCloseTo(-0.1, 10);
  expect(rows).toBe(30);
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
  const difference = pairedDifference(a, b)!;
  expect(difference).toEqual({ mean: expect.closeTo(1 / LN2, 12), rows: 2, interval: null });
});

test("fewer than five texts have an estimate and no interval, and none has nothing", () => {
  const scores = sampleScores(5, 4);
  expect(estimateBitsPerByte(scores.slice(0, 4))).toMatchObject({ rows: 4, interval: null });
  expect(pairedDifference(scores.slice(1), scores.slice(1))).toMatchObject({
    mean: 0,
    rows: 4,
    interval: null,
  });
  expect(estimateBitsPerByte(scores)?.interval).not.toBeNull();
  const unscored = { nats: 0, tokens: 0, bytes: 0 };
  expect(estimateBitsPerByte([unscored])).toBeNull();
  expect(pairedDifference([unscored], scores.slice(0, 1))).toBeNull();
});

test("swapping the models turns the difference round", () => {
  const score = fc.record({
    nats: fc.double({ min: 0, max: 100, noNaN: true }),
    tokens: fc.integer({ min: 1, max: 50 }),
    bytes: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(score, score), { minLength: 5, maxLength: 8 }), (pairs) => {
      const a = pairs.map(([x]) => x);
      const b = pairs.map(([, y]) => y);
      const there = pairedDifference(a, b)!;
      const back = pairedDifference(b, a)!;
      expect(back.mean).toBeCloseTo(-there.mean, 9);
      expect(back.interval![0]).toBeCloseTo(-there.interval![1], 9);
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
