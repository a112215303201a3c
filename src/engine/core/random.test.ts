import { expect, test } from "vitest";
import { createRandom, uniform } from "./random.ts";

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

test("seeds give the same numbers for ever: results are kept with them", () => {
  const counted = [1, 2, 3].map((counter) => uniform(7, counter));
  const random = createRandom(7);
  const sequence = [random(), random(), random()];
  expect(counted).toEqual([0.5770226094587279, 0.04910766149433743, 0.30037125157044486]);
  expect(sequence).toEqual([0.8936956545803696, 0.9803904530126601, 0.1866056271828711]);
});
