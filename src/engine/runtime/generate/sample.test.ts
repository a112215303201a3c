import { describe, expect, test } from "vitest";
import { GREEDY, sampleToken, uniform } from "./sample.ts";

const DRAWS = { ...GREEDY, temperature: 1, seed: 7 };
const logitsOf = (...probabilities: readonly number[]) =>
  Float32Array.from(probabilities, (p) => Math.log(p));

/** How often each token is drawn over many steps. */
function shares(logits: Float32Array, sampling: typeof DRAWS, draws = 20_000): readonly number[] {
  const counts = new Array<number>(logits.length).fill(0);
  for (let step = 0; step < draws; step++) counts[sampleToken(logits, [], step, sampling)]! += 1;
  return counts.map((count) => count / draws);
}
/** Four standard deviations of a share of 1/2 over 20,000 draws. */
const BOUND = 4 * Math.sqrt(0.25 / 20_000);
const expectShares = (got: readonly number[], want: readonly number[]) => {
  got.forEach((share, i) => {
    expect(Math.abs(share - want[i]!), `token ${i}`).toBeLessThanOrEqual(BOUND);
  });
};

test("temperature 0 takes the likeliest, the first of equals", () => {
  expect(sampleToken(new Float32Array([1, 5, 5, -2]), [], 0, GREEDY)).toBe(1);
});

test("tokens are drawn as often as they are likely", () => {
  expectShares(shares(logitsOf(0.5, 0.3, 0.15, 0.05), DRAWS), [0.5, 0.3, 0.15, 0.05]);
});

test("a temperature of 2 takes the square root of what is likely", () => {
  const roots = [0.64, 0.32, 0.04].map(Math.sqrt);
  const total = roots.reduce((a, b) => a + b);
  const want = roots.map((root) => root / total);
  expectShares(shares(logitsOf(0.64, 0.32, 0.04), { ...DRAWS, temperature: 2 }), want);
});

test("top-k keeps k tokens, ties going to the lower id", () => {
  const got = shares(logitsOf(0.25, 0.25, 0.25, 0.25), { ...DRAWS, topK: 2 });
  expectShares(got, [0.5, 0.5, 0, 0]);
  expect(got.slice(2)).toEqual([0, 0]);
});

test("top-p keeps the fewest tokens that reach p, at least one", () => {
  const logits = logitsOf(0.1, 0.5, 0.3, 0.1);
  expect(shares(logits, { ...DRAWS, topP: 0.79 }).map((share) => share > 0)).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(shares(logits, { ...DRAWS, topP: 0.81 }, 500)[0]).toBeGreaterThan(0);
  expect(shares(logits, { ...DRAWS, topP: 0 }, 500)).toEqual([0, 1, 0, 0]);
});

test("min-p keeps what is at least that part as likely as the likeliest", () => {
  const got = shares(logitsOf(0.6, 0.31, 0.09), { ...DRAWS, minP: 0.5 });
  expectShares(got, [0.6 / 0.91, 0.31 / 0.91, 0]);
  expect(got[2]).toBe(0);
});

test("top-p keeps its part of the whole vocabulary, however little each token of the tail weighs", () => {
  const tail = new Array<number>(100).fill(0.09 / 100);
  const logits = logitsOf(0.5, ...new Array<number>(11).fill(0.41 / 11), ...tail);
  const got = shares(logits, { ...DRAWS, topP: 0.899 });
  const want = [0.5, ...new Array<number>(11).fill(0.41 / 11)].map((share) => share / 0.91);
  expectShares(got, [...want, ...tail.map(() => 0)]);
  expect(got.map((share) => share > 0)).toEqual(got.map((_, id) => id < 12));
});

test("top-p over a large vocabulary keeps what sorting all of it would keep", () => {
  const logits = Float32Array.from({ length: 1000 }, (_, i) => uniform(3, i) * 16);
  const sorted = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]!);
  const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
  const nucleus: number[] = [];
  for (let sum = 0; sum < 0.3; ) {
    const id = sorted[nucleus.length] as number;
    nucleus.push(id);
    sum += Math.exp(logits[id]!) / total;
  }
  const drawn = new Set<number>();
  for (let step = 0; step < 2000; step++) {
    drawn.add(sampleToken(logits, [], step, { ...DRAWS, topP: 0.3 }));
  }
  expect([...drawn].toSorted((a, b) => a - b)).toEqual(nucleus.toSorted((a, b) => a - b));
});

describe("the repetition penalty", () => {
  const penalty = { ...GREEDY, repetitionPenalty: 2 };
  test("halves positive logits and doubles negative ones, once for each token", () => {
    expect(sampleToken(new Float32Array([3, 2, 0]), [0, 0, 0], 0, penalty)).toBe(1);
    expect(sampleToken(new Float32Array([3.9, 2, 0]), [0, 0], 0, penalty)).toBe(1);
    expect(sampleToken(new Float32Array([4.1, 2, 0]), [0, 0], 0, penalty)).toBe(0);
    expect(sampleToken(new Float32Array([-1, -1.9]), [0], 0, penalty)).toBe(1);
  });
  test("leaves the logits it was given alone", () => {
    const logits = new Float32Array([3, 2]);
    sampleToken(logits, [0], 0, penalty);
    expect([...logits]).toEqual([3, 2]);
  });
});

test("the same seed and step give the same token; another of either gives others", () => {
  const logits = new Float32Array(1000);
  const draw = (seed: number, step: number) => sampleToken(logits, [], step, { ...DRAWS, seed });
  const steps = Array.from({ length: 50 }, (_, step) => step);
  expect(steps.map((step) => draw(1, step))).toEqual(steps.map((step) => draw(1, step)));
  expect(new Set(steps.map((step) => draw(1, step))).size).toBeGreaterThan(40);
  expect(new Set(steps.map((seed) => draw(seed, 0))).size).toBeGreaterThan(40);
});

test("uniform numbers fill [0, 1) evenly for neighbouring seeds and counters", () => {
  const bins = new Array<number>(20).fill(0);
  for (let seed = 0; seed < 100; seed++) {
    for (let counter = 0; counter < 1000; counter++) {
      const value = uniform(seed, counter);
      bins[Math.floor(value * 20)]! += 1; // NaN outside of [0, 1)
    }
  }
  // 5000 expected in each, with a standard deviation of 69.
  for (const count of bins) expect(Math.abs(count - 5000)).toBeLessThanOrEqual(5 * 69);
});

test("no small seed draws its first token from the very edge", () => {
  const logits = new Float32Array(10_000);
  const first = Array.from({ length: 100 }, (_, seed) =>
    sampleToken(logits, [], 0, { ...DRAWS, seed }),
  );
  // One in fifty such tests would fail by chance; this one does not.
  for (const id of first) expect(Math.min(id, 9_999 - id)).toBeGreaterThan(0);
  expect(new Set(first).size).toBeGreaterThan(95);
});
