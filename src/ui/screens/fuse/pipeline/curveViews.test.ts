import { expect, test } from "vitest";
import type { TrainingPoint } from "../../../../engine/contract/index.ts";
import { CURVE_VIEWS, curvesOf, curveView, type ShownTraining, secondsLeft } from "./curveViews.ts";

const point = (step: number, changes: Partial<TrainingPoint> = {}): TrainingPoint => ({
  step,
  loss: 3,
  clm: 3.2,
  fusion: 2,
  lambda: 0.9,
  learningRate: 1e-3,
  gradientNorm: 0.5,
  tokens: 100,
  heldOut: null,
  ...changes,
});
const taught: ShownTraining = {
  name: "Learn from flint",
  plain: false,
  curve: { heldOutBefore: 2.9, points: [point(1), point(2, { fusion: null, heldOut: 2.7 })] },
};

test("every view draws its own number of every step that has it", () => {
  const drawn = (id: string) =>
    curvesOf(curveView(id), [taught])[0]?.points.map(({ step, value }) => [step, value]);
  expect(drawn("loss")).toEqual([
    [1, 3],
    [2, 3],
  ]);
  expect(drawn("text")?.[0]).toEqual([1, 3.2]);
  expect(drawn("fusion")).toEqual([[1, 2]]);
  expect(drawn("gradient")?.[1]).toEqual([2, 0.5]);
  expect(drawn("rate")?.[1]).toEqual([2, 1e-3]);
  expect(new Set(CURVE_VIEWS.map(({ id }) => id)).size).toBe(CURVE_VIEWS.length);
});

test("what is held out begins before the first step", () => {
  const [curve] = curvesOf(curveView("held-out"), [taught]);
  expect(curve?.points).toEqual([
    { step: 0, value: 2.9 },
    { step: 2, value: 2.7 },
  ]);
});

test("trainings are told apart by their dashes, and the one without sources by the pivot's colour", () => {
  const plain: ShownTraining = { name: "Fine-tune", plain: true, curve: undefined };
  const curves = curvesOf(curveView("nonsense"), [taught, { ...taught, name: "slate" }, plain]);
  expect(new Set(curves.map(({ dash }) => dash)).size).toBe(3);
  expect(new Set(curves.map(({ colour }) => colour)).size).toBe(3);
  expect(curves[2]).toMatchObject({ colour: "var(--base)", points: [] });
});

test("the time left follows from the pace, and is not told without one", () => {
  const points = [point(1), point(2), point(3)];
  expect(secondsLeft({ steps: 13, points, tokensPerSecond: 50 })).toBe(20);
  expect(secondsLeft({ steps: 3, points, tokensPerSecond: 50 })).toBe(0);
  expect(secondsLeft({ steps: 13, points, tokensPerSecond: null })).toBeNull();
  expect(secondsLeft({ steps: 0, points, tokensPerSecond: 50 })).toBeNull();
  expect(secondsLeft({ steps: 13, points: [], tokensPerSecond: 50 })).toBeNull();
});
