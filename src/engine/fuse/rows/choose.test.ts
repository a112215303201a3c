import { expect, test } from "vitest";
import { FUSION_DEFAULTS, type FusionSettings } from "../../contract/index.ts";
import { makeRecord } from "../dataset/testRecords.ts";
import { refusal, rewardOf, rowRewards, weighMembers, weighRows } from "./choose.ts";

const names = ["b", "a", "c"];
const studio = FUSION_DEFAULTS.studio;
const v1 = FUSION_DEFAULTS["fusechat-v1"];
const v2 = FUSION_DEFAULTS["fusechat-v2"];

test("the worked numbers of rewards and AvgCE weights", () => {
  const exact: FusionSettings = { ...v1, bf16: false, fusion: "avgce" };
  expect(rewardOf(1.2, exact)).toBeCloseTo(0.301194, 6);
  expect(rewardOf(0.9, exact)).toBeCloseTo(0.40657, 6);
  const [pivot, source] = weighMembers([1.2, 0.9], names, exact);
  expect(pivot).toBeCloseTo(0.47368, 6);
  expect(source).toBeCloseTo(0.52632, 6);
  // Three losses that bf16 rewards do not tell apart: the pivot wins.
  for (const metric of [1.2, 1.203, 1.206]) expect(rewardOf(metric, v1)).toBe(0.30078125);
  expect(rewardOf(0.9, v1)).toBe(0.408203125);
  expect(weighMembers([1.206, 1.2, 1.203], names, v1)).toEqual([1, 0, 0]);
  expect(weighMembers([1.206, 1.2, 1.203], names, { ...v1, bf16: false })).toEqual([0, 1, 0]);
});

test("ties: the pivot; then the studio's first by name, the references' first or last", () => {
  expect(weighMembers([1, 1, 1, 2], names, studio)).toEqual([1, 0, 0, 0]);
  expect(weighMembers([3, 1, 1, 2], names, studio)).toEqual([0, 0, 1, 0]);
  expect(weighMembers([3, 1, 1, 2], names, v1)).toEqual([0, 1, 0, 0]);
  expect(weighMembers([3, 1, 1, 2], names, { ...v1, withPivot: false })).toEqual([0, 0, 1, 0]);
  expect(weighMembers([0.5, 1, 1, 2], names, { ...studio, withPivot: false })).toEqual([
    0, 0, 1, 0,
  ]);
});

test("v2 picks the least of several sources before it asks the pivot", () => {
  // 1.206 is less than 1.208, and in bf16 as good as the pivot's.
  expect(weighMembers([1.2, 1.208, 1.206], names, v2)).toEqual([1, 0, 0]);
  expect(weighMembers([1.3, 1.203, 1.2], names, v2)).toEqual([0, 0, 1]);
  expect(weighMembers([1.3, Number.NaN, 1.2], names, v2)).toEqual([0, 0, 1]);
  expect(weighMembers([1.3, 1.25, 1.2], names, { ...v2, withPivot: false })).toEqual([0, 0, 1]);
});

test("at a token only those choose that have a row; alone the pivot stays", () => {
  const token: FusionSettings = { ...studio, level: "token" };
  expect(weighMembers([2, Number.NaN, 1], names, token)).toEqual([0, 0, 1]);
  const blind = { ...token, withPivot: false };
  expect(weighMembers([2, Number.NaN, Number.NaN], names, blind)).toEqual([1, 0, 0]);

  const record = makeRecord({ seed: 1, tokens: 40 });
  const weights = weighRows(record, { ...token, fusion: "avgce" });
  for (let row = 0; row < record.pivot.positions.length; row++) {
    const own = weights.subarray(3 * row, 3 * row + 3);
    expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    for (const [i, source] of record.sources.entries()) {
      expect(own[i + 1]! > 0).toBe(source.from[row]! >= 0);
    }
    const rewards = rowRewards(record, row, token);
    expect(rewards.map(Number.isFinite)).toEqual(Array.from(own, (weight) => weight > 0));
  }
});

test("nats per byte and per token can disagree", () => {
  const record = makeRecord({ seed: 2, sources: ["one"] });
  const bytes = record.supervisedBytes;
  const nats = record.pivot.goldNats.reduce((a, b) => a + b, 0);
  // Fewer nats in all, and fewer tokens to spread them over.
  const scored = { tokens: 2, nats: nats * 0.9 };
  const changed = { ...record, sources: [{ ...record.sources[0]!, scored }] };
  expect(weighRows(changed, studio).slice(0, 2)).toEqual(new Float32Array([0, 1]));
  const perToken = weighRows(changed, { ...studio, metric: "token" });
  expect(perToken.slice(0, 2)).toEqual(new Float32Array([1, 0]));
  expect(rowRewards(changed, 0, studio)[1]).toBeCloseTo(Math.exp((-0.9 * nats) / bytes), 9);
});

test("what cannot be fused is named", () => {
  const record = makeRecord({ seed: 3 });
  expect(refusal(record, studio)).toBeNull();
  const [one, two] = record.sources as [(typeof record.sources)[0], (typeof record.sources)[0]];
  const none = { scored: { tokens: 0, nats: 0 } };
  const half = { ...record, sources: [one, { ...two, ...none }] };
  expect(refusal(half, studio)).toBe("no metric of a source");
  expect(refusal(half, v2)).toBeNull();
  expect(refusal({ ...record, sources: [{ ...one, ...none }] }, v2)).toBe("no metric of a source");
  const broken = { ...record.pivot, logits: record.pivot.logits.map(() => Number.NaN) };
  expect(refusal({ ...record, pivot: broken }, studio)).toBe("a logit that is not finite");
  const silent = { ...record.pivot, goldNats: record.pivot.goldNats.map(() => Number.NaN) };
  expect(refusal({ ...record, pivot: silent }, studio)).toBe("no metric of the pivot");
  const empty = { ...record.pivot, positions: new Uint32Array() };
  expect(refusal({ ...record, pivot: empty }, studio)).toBe("no supervised token");
});
