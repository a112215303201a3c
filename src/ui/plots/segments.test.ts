import { expect, test } from "vitest";
import { paintSegments, stackShares } from "./segments.ts";

const widths = (segments: ReturnType<typeof stackShares>) =>
  segments.map(({ from, to }) => Math.round((to - from) * 1000) / 1000);

test("shares that sum to 1 leave no remainder", () => {
  const segments = stackShares([0.25, 0.75], ["a", "b"], "base");
  expect(widths(segments)).toEqual([0.25, 0.75]);
});

test("what is missing to 1 is the base's, and comes last", () => {
  const segments = stackShares([0.2, 0.3], ["a", "b"], "base");
  expect(widths(segments)).toEqual([0.2, 0.3, 0.5]);
  expect(segments.at(-1)?.colour).toBe("base");
});

test("without a base there is no remainder", () => {
  expect(widths(stackShares([0.2, 0.2], ["a", "b"], null))).toEqual([0.5, 0.5]);
});

test("a negative share takes its size and is marked, and so is a negative remainder", () => {
  const segments = stackShares([-0.5, 1.5], ["a", "b"], "base");
  expect(widths(segments)).toEqual([0.25, 0.75]);
  expect(segments.map(({ negative }) => negative)).toEqual([true, false]);
  expect(stackShares([1.5], ["a"], "base").map(({ negative }) => negative)).toEqual([false, true]);
});

test("the pieces fill the bar", () => {
  const segments = stackShares([0.1, -0.7, 0.9], ["a", "b", "c"], "base");
  expect(Math.abs((segments.at(-1)?.to ?? 0) - 1)).toBeLessThanOrEqual(1e-12);
});

test("no share at all paints nothing", () => {
  expect(stackShares([0, 0], ["a", "b"], null)).toEqual([]);
});

test("each negative piece gets one hatched layer above the colours", () => {
  const { backgroundImage, backgroundSize } = paintSegments(
    stackShares([-0.5, 1.5], ["a", "b"], null),
  );
  expect(backgroundImage.match(/repeating-linear-gradient/g)).toHaveLength(1);
  expect(backgroundSize).toBe("25% 100%, 100% 100%");
});
