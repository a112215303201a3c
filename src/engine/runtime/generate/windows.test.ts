import { expect, test } from "vitest";
import { planWindows } from "./windows.ts";

test.each([
  [1, 8, 4],
  [2, 8, 4],
  [8, 8, 4],
  [9, 8, 4],
  [100, 8, 7],
  [101, 10, 1],
])(
  "of %i tokens in windows of %i, %i apart, all but the first are predicted once",
  (tokens, length, stride) => {
    const windows = planWindows(tokens, length, stride);
    const scored = windows.flatMap(({ scoredFrom, end }) =>
      Array.from({ length: end - scoredFrom }, (_, i) => scoredFrom + i),
    );
    expect(scored).toEqual(Array.from({ length: tokens - 1 }, (_, i) => i + 1));
    for (const { start, scoredFrom, end } of windows) {
      expect(end - start).toBeLessThanOrEqual(length);
      expect(scoredFrom - start).toBeGreaterThanOrEqual(start === 0 ? 1 : length - stride);
    }
  },
);
