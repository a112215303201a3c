import { expect, test } from "vitest";
import { chooseRank, factorsOf, spectrumOf } from "./factors.ts";

const svd = { values: Float64Array.of(2, 1, 0.5), energy: 4 + 1 + 0.25 + 0.75 };

test.each([
  [{ rank: 2, energy: null, least: 0 }, 2],
  [{ rank: 9, energy: null, least: 0 }, 3],
  [{ rank: 9, energy: null, least: 0.5 }, 2],
  [{ rank: 9, energy: 0.6, least: 0 }, 1],
  [{ rank: 9, energy: 4 / 6, least: 0 }, 1],
  [{ rank: 9, energy: 0.8, least: 0 }, 2],
  [{ rank: 1, energy: 0.8, least: 0 }, 1],
  [{ rank: 9, energy: 1, least: 0 }, 3],
])("of %o come %i singular values", (settings, want) => {
  expect(chooseRank(svd, settings)).toBe(want);
});

test("a zero matrix has no factors", () => {
  const none = { values: new Float64Array(0), energy: 0 };
  expect(chooseRank(none, { rank: 4, energy: 0.9, least: 0 })).toBe(0);
});

test("a spectrum tells what is kept", () => {
  expect(spectrumOf("a.b", [3, 4], svd, 2)).toEqual({
    module: "a.b",
    shape: [3, 4],
    rank: 2,
    values: [2, 1, 0.5],
    energy: 6,
    kept: 0.833333,
    stableRank: 1.5,
  });
});

test.each([
  ["linear", true],
  ["linear", false],
  ["embedding", true],
  ["conv1d", false],
] as const)(
  "factors of a %s matrix give it back, divided by the scale (shared: %s)",
  (as, distribute) => {
    // 3 · e₁·(0, 1, 0)ᵀ in a matrix of two rows and three columns.
    const exact = {
      values: Float64Array.of(3),
      left: Float32Array.of(1, 0),
      right: Float32Array.of(0, 1, 0),
    };
    const { a, b } = factorsOf(exact, { rank: 1, scale: 0.5, as, distribute });
    const [inputs, outputs] = as === "linear" ? [3, 2] : [2, 3];
    expect([a.length, b.length]).toEqual([inputs, outputs]);
    const at = as === "linear" ? [0, 1] : [1, 0]; // output and input of the one entry
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const want = o === at[0] && i === at[1] ? 3 : 0;
        expect(Math.abs(0.5 * b[o]! * a[i]! - want)).toBeLessThanOrEqual(4 * 3 * 2 ** -24);
      }
    }
    if (!distribute) expect(Math.hypot(...b)).toBe(1);
  },
);
