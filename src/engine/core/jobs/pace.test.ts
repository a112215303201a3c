import { expect, test } from "vitest";
import { keepPace } from "./pace.ts";

const step = (doneBytes: number) => ({ doneBytes, totalBytes: 1000, label: "" });

test("nothing is said about speed until half a second has been seen", () => {
  const pace = keepPace(0);
  expect(pace(step(0), 0)).toMatchObject({ bytesPerSecond: null, secondsLeft: null });
  expect(pace(step(10), 400)).toMatchObject({ bytesPerSecond: null, secondsLeft: null });
  expect(pace(step(100), 1000)).toMatchObject({ bytesPerSecond: 100, secondsLeft: 9 });
});

test("what an earlier run had done does not count as speed", () => {
  const pace = keepPace(0);
  pace(step(900), 0);
  expect(pace(step(910), 1000)).toMatchObject({ bytesPerSecond: 10, secondsLeft: 9 });
});

test("the speed follows a change within a few seconds, without jumping", () => {
  const pace = keepPace(0);
  pace(step(0), 0);
  pace(step(100), 1000);
  const after = pace(step(120), 2000).bytesPerSecond as number;
  expect(after).toBeGreaterThan(20);
  expect(after).toBeLessThan(100);
  let last = after;
  for (let s = 3; s < 20; s++) last = pace(step(120 + 20 * (s - 2)), s * 1000).bytesPerSecond ?? 0;
  expect(Math.abs(last - 20)).toBeLessThan(1); // e^(-18/3) of the old 100
});

test("a job that stands still knows no time left", () => {
  const pace = keepPace(0);
  pace(step(5), 0);
  expect(pace(step(5), 1000)).toMatchObject({ bytesPerSecond: 0, secondsLeft: null });
});

test("parts of a work are paced by all of them together", () => {
  const pace = keepPace(0);
  const part = (doneBytes: number) => ({ ...step(doneBytes), unit: "parts" as const });
  expect(pace(part(100), 0).secondsLeft).toBeNull();
  expect(pace(part(100), 400).secondsLeft).toBeNull();
  // A long part without news makes nobody despair.
  expect(pace(part(500), 4000)).toMatchObject({ bytesPerSecond: 100, secondsLeft: 5 });
  expect(pace(part(500), 8000)).toMatchObject({ bytesPerSecond: 50, secondsLeft: 10 });
});

test("an estimate that was too small is never passed", () => {
  const pace = keepPace(0);
  pace(step(0), 0);
  for (const [bytes, at] of [
    [900, 1000],
    [1410, 2000],
    [830, 3000],
  ] as const) {
    const { doneBytes, secondsLeft } = pace(step(bytes), at);
    expect(doneBytes).toBeLessThanOrEqual(1000);
    expect(secondsLeft ?? 0).toBeGreaterThanOrEqual(0);
  }
});
