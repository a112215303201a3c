import { describe, expect, test } from "vitest";
import { createRandom } from "../core/random.ts";
import { estimateBitsPerByte, pairedDifference, type Score } from "./statistics.ts";

/*
 * How often 95 % intervals hold the truth, over seeded draws from populations whose truth is known.
 * A percentile bootstrap over rows holds it 77 to 84 times in 100 of five rows, and 87 to 92 of twenty.
 */
const DRAWS = 4000;
/** Of a share of 0.95 over the draws: four standard errors, √(0.95 · 0.05 / 4000) each. */
const CHANCE = 4 * 0.00345;

/** Standard normal numbers (Box and Muller). */
function normals(seed: number): () => number {
  const random = createRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

interface Population {
  readonly name: string;
  /** Bits per byte over all of its texts together. */
  readonly truth: number;
  /** One text: its bytes, and bits for each. */
  draw(normal: () => number): { readonly bytes: number; readonly rate: number };
  /** The least that the intervals hold, and why it may lie below 0.95. */
  readonly least: number;
}

/** e^(5 + z): half of the texts lie between 75 and 290 bytes, one in forty above 1,000. */
const longAndShort = (normal: () => number) => Math.exp(5 + normal());

const POPULATIONS: readonly Population[] = [
  {
    name: "equal lengths, normal rates",
    truth: 1.5,
    draw: (normal) => ({ bytes: 200, rate: 1.5 + 0.3 * normal() }),
    least: 0.95 - CHANCE, // Student's t is exact
  },
  {
    name: "lengths of all sizes",
    truth: 1.5,
    draw: (normal) => ({ bytes: longAndShort(normal), rate: 1.5 + 0.3 * normal() }),
    least: 0.95 - CHANCE,
  },
  {
    name: "short texts that are harder",
    // The mean of √bytes over that of bytes is e^(2.5 + 1/8) / e^(5 + 1/2).
    truth: 1.2 + 4 * Math.exp(-2.875),
    draw(normal) {
      const bytes = longAndShort(normal);
      return { bytes, rate: 1.2 + 4 / Math.sqrt(bytes) + 0.3 * normal() };
    },
    least: 0.92, // a quotient of sums that go together is skewed, and few texts do not show it
  },
  {
    name: "skewed rates",
    truth: Math.exp(0.3 + 0.125),
    draw: (normal) => ({ bytes: 200, rate: Math.exp(0.3 + 0.5 * normal()) }),
    least: 0.9, // no interval knows of a tail that five values do not show
  },
];
const ROWS = [5, 8, 20, 60];

const scoreOf = (bytes: number, rate: number): Score => ({
  bytes,
  nats: rate * Math.LN2 * bytes,
  tokens: 1,
});

/** The share of draws whose interval holds the truth. */
function coverage(interval: () => readonly [number, number], truth: number): number {
  let held = 0;
  for (let i = 0; i < DRAWS; i++) {
    const [low, high] = interval();
    if (low <= truth && truth <= high) held += 1;
  }
  return held / DRAWS;
}

describe.each(POPULATIONS)("of $name", ({ truth, draw, least }) => {
  test.each(ROWS)("%i rows hold the truth as often as they say", (rows) => {
    const normal = normals(rows);
    const share = coverage(() => {
      const scores = Array.from({ length: rows }, () => {
        const { bytes, rate } = draw(normal);
        return scoreOf(bytes, rate);
      });
      return estimateBitsPerByte(scores)!.interval!;
    }, truth);
    expect(share).toBeGreaterThanOrEqual(least);
    // Wider than they need be, but by no more than this.
    expect(share).toBeLessThanOrEqual(0.985);
  });

  test.each(ROWS)("%i rows hold what one model does better than another", (rows) => {
    const normal = normals(100 + rows);
    const share = coverage(() => {
      const pairs = Array.from({ length: rows }, () => {
        const { bytes, rate } = draw(normal);
        const better = rate - 0.1 + 0.05 * normal();
        return [scoreOf(bytes, rate), scoreOf(bytes, better)] as const;
      });
      return pairedDifference(
        pairs.map(([one]) => one),
        pairs.map(([, other]) => other),
      )!.interval!;
    }, -0.1);
    // How much harder a text is cancels out: what is left is normal, whatever the population.
    expect(share).toBeGreaterThanOrEqual(0.95 - CHANCE);
    expect(share).toBeLessThanOrEqual(0.985);
  });
});
