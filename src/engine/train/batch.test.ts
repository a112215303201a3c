import { expect, test } from "vitest";
import { makeRecord } from "../fuse/dataset/testRecords.ts";
import { countTokens, makeBatch } from "./batch.ts";

/** Every row, tail and entry is another number. */
function recordOf(seed: number) {
  const record = makeRecord({ seed, tokens: 20 });
  const tail = record.tail.map((_, row) => (1 + row) / 64);
  const values = record.fused.values.map((_, e) => (seed + e) / 128);
  return { ...record, tail, fused: { ...record.fused, values } };
}
const records = new Map([11, 12].map((seed) => [seed, recordOf(seed)]));
const whole = (document: number) => ({ document, from: 0, tokens: 20 });

test("rows and their tails stand where they predict, whatever stands before them", () => {
  const { ids, labels, documents, weights, fused } = makeBatch(
    [whole(11), whole(12)],
    records,
    0.9,
  );
  expect(documents).toEqual([0, 20]);
  for (const [place, document] of [
    [0, 11],
    [20, 12],
  ] as const) {
    const record = records.get(document)!;
    const { tokens, positions } = record.pivot;
    expect([...ids.slice(place, place + 20)]).toEqual([...tokens.ids]);
    for (let t = 0; t < 20; t++) {
      const row = positions.indexOf(t);
      const at = place + t;
      expect(weights[at]).toBe(row < 0 ? 0 : 1);
      expect(fused!.tails![at]).toBe(row < 0 ? 0 : record.tail[row]);
      const range = [fused!.starts[at], fused!.starts[at + 1]] as const;
      const { offsets, values } = record.fused;
      const want = row < 0 ? [] : [...values.slice(offsets[row], offsets[row + 1])];
      expect([...fused!.probabilities.slice(...range)]).toEqual(want);
      if (row >= 0) expect(labels[at]).toBe(tokens.ids[t + 1]);
    }
  }
});

test("the last token of a stretch predicts nothing", () => {
  const record = records.get(11)!;
  const cut = record.pivot.positions[3]! + 1;
  const batch = makeBatch([{ document: 11, from: 0, tokens: cut }], records, 0.9);
  expect(countTokens(batch)).toBe(3);
  const rest = makeBatch([{ document: 11, from: cut - 1, tokens: 21 - cut }], records, 0.9);
  expect(countTokens(rest)).toBe(record.pivot.positions.length - 3);
});

test("without fusion there are no rows", () => {
  expect(makeBatch([whole(11)], records, 1).fused).toBeNull();
});
