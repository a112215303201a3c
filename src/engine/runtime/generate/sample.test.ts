import { describe, expect, test } from "vitest";
import { createRandom, uniform } from "../../core/random.ts";
import { GREEDY, type Sampling, sampleToken } from "./sample.ts";

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

test("no small seed draws its first token from the very edge", () => {
  const logits = new Float32Array(10_000);
  const first = Array.from({ length: 100 }, (_, seed) =>
    sampleToken(logits, [], 0, { ...DRAWS, seed }),
  );
  // One in fifty such tests would fail by chance; this one does not.
  for (const id of first) expect(Math.min(id, 9_999 - id)).toBeGreaterThan(0);
  expect(new Set(first).size).toBeGreaterThan(95);
});

/** Drawing by its definition: every weight, all of them sorted, filters one after the other. */
function sampleBySorting(logits: Float32Array, step: number, sampling: Sampling): number {
  const { temperature, topK, topP, minP, seed } = sampling;
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const weights = Array.from(logits, (z) => Math.exp((z - largest) / temperature));
  const sum = (ids: readonly number[]) => ids.reduce((total, id) => total + weights[id]!, 0);
  let kept = [...weights.keys()];
  if (topK > 0 || topP < 1) kept.sort((a, b) => weights[b]! - weights[a]! || a - b);
  if (topK > 0) kept = kept.slice(0, topK);
  if (topP < 1) {
    const wanted = topP * sum(topK > 0 ? kept : [...weights.keys()]);
    let reached = 0;
    const end = kept.findIndex((id) => {
      reached += weights[id]!;
      return reached >= wanted;
    });
    kept = kept.slice(0, end < 0 ? kept.length : end + 1);
  }
  kept = kept.filter((id) => weights[id]! >= minP);
  let left = uniform(seed, step + 1) * sum(kept);
  const drawn = kept.find((id) => {
    left -= weights[id]!;
    return left < 0;
  });
  return drawn ?? (kept.at(-1) as number);
}

describe("what is drawn is what sorting the whole vocabulary would draw, bit for bit, over", () => {
  const random = createRandom(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const make = (count: number, value: (i: number) => number) =>
    Float32Array.from({ length: count }, (_, i) => value(i));
  const LOGITS: Readonly<Record<string, Float32Array>> = {
    "a peaked row": make(3000, () => 4 * normal()),
    "a flat row": make(3000, () => 0.05 * normal()),
    "nothing but ties": new Float32Array(500),
    "many ties": make(3000, () => Math.round(2 * normal())),
    "neighbours of one value, whose exponentials round alike": make(
      1000,
      (i) => 10 + (i % 7) * 2 ** -20,
    ),
    "weights that vanish": make(1000, (i) => (i % 3 === 0 ? -2000 - i : 3 * normal())),
    "tokens that are forbidden": make(1000, (i) => (i % 2 === 0 ? -Infinity : normal())),
    "one token": new Float32Array([3]),
  };
  const FILTERS: readonly Partial<Sampling>[] = [
    {},
    { minP: 0.02 },
    { topP: 0.95 },
    { topP: 0.5, minP: 0.01 },
    { topP: 0 },
    { topP: 1 - 1e-12 },
    { topK: 1 },
    { topK: 40 },
    { topK: 40, topP: 0.8 },
    { topK: 997, topP: 0.9, minP: 0.001 },
    { topK: 100_000 },
  ];
  test.each(Object.entries(LOGITS))("%s", (_, logits) => {
    for (const filter of FILTERS) {
      for (const temperature of [0.05, 0.7, 1, 30]) {
        for (let step = 0; step < 12; step++) {
          const sampling: Sampling = { ...GREEDY, ...filter, temperature, seed: step };
          expect(sampleToken(logits, [], step, sampling), JSON.stringify(sampling)).toBe(
            sampleBySorting(logits, step, sampling),
          );
        }
      }
    }
  });
});

test("a row without a largest value gives some token instead of none", () => {
  for (const value of [Number.NaN, -Infinity, Infinity]) {
    for (const filter of [{}, { topK: 2 }, { topP: 0.5 }]) {
      const id = sampleToken(new Float32Array(4).fill(value), [], 0, { ...DRAWS, ...filter });
      expect(id).toBe(0);
    }
  }
});
