import { expect, test } from "vitest";
import { decades, spectrumPath } from "./spectrumLayout.ts";

test.each([
  [0.9, ["1", "0.1"], 0.1],
  [0.1, ["1", "0.1"], 0.1],
  [0.02, ["1", "0.1", "0.01"], 0.01],
  [0, ["1", "0.1", "0.01", "10⁻³", "10⁻⁴", "10⁻⁵", "10⁻⁶", "10⁻⁷"], 1e-7],
])("an axis down to %d has a line at each power of ten", (least, labels, floor) => {
  const axis = decades(least);
  expect(axis.levels.map(({ label }) => label)).toEqual(labels);
  expect(axis.floor).toBeCloseTo(floor, 12);
});

test("values are drawn relative to the largest", () => {
  const place = { x: (index: number) => 10 * index, y: (share: number) => 100 * share };
  expect(spectrumPath([4, 2, 1], place)).toBe("0.0,100.0 10.0,50.0 20.0,25.0");
  expect(spectrumPath([2], place, 4)).toBe("0.0,50.0");
  expect(spectrumPath([0, 0], place)).toBe("0.0,0.0 10.0,0.0");
  expect(spectrumPath([], place)).toBe("");
});
