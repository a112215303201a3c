import fc from "fast-check";
import { expect, test } from "vitest";
import { orderEpoch, orderTraining, shuffled } from "./order.ts";

const settings = { seed: 3, packing: true, sequenceTokens: 32, batchTokens: 64 };
const lengths = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 40 });

test("an order holds every document once, and is another in another epoch", () => {
  const first = shuffled(100, 1, 0);
  expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(shuffled(100, 1, 0)).toEqual(first);
  expect(shuffled(100, 1, 1)).not.toEqual(first);
});

test("every token that predicts another is read once an epoch, within the limits", () => {
  fc.assert(
    fc.property(lengths, fc.boolean(), (tokens, packing) => {
      const seen = tokens.map((count) => new Uint8Array(count));
      for (const sequences of orderEpoch(tokens, { ...settings, packing }, 0)) {
        const read = sequences.map((all) => all.reduce((sum, each) => sum + each.tokens, 0));
        expect(read.every((count) => count <= settings.sequenceTokens)).toBe(true);
        const whole = read.reduce((sum, count) => sum + count, 0);
        expect(whole <= settings.batchTokens || read.length === 1).toBe(true);
        if (!packing) expect(sequences.every((all) => all.length === 1)).toBe(true);
        for (const { document, from, tokens: count } of sequences.flat()) {
          for (let t = from; t + 1 < from + count; t++) seen[document]![t]!++;
        }
      }
      for (const [document, counts] of seen.entries()) {
        const predicting = counts.subarray(0, Math.max(0, counts.length - 1));
        expect(
          predicting.every((count) => count === 1),
          `document ${document}`,
        ).toBe(true);
      }
    }),
  );
});

test("a training goes through its epochs, or as many steps as it is told", () => {
  const tokens = [30, 20, 25, 31, 16, 8];
  const epoch = orderEpoch(tokens, settings, 0).length;
  const two = orderTraining(tokens, { ...settings, steps: null, epochs: 2 });
  expect(two.steps).toBe(epoch + orderEpoch(tokens, settings, 1).length);
  expect(two.at(epoch)).toEqual(orderEpoch(tokens, settings, 1)[0]);
  expect(two.at(0)).toEqual(orderEpoch(tokens, settings, 0)[0]); // back again
  const many = orderTraining(tokens, { ...settings, steps: 50, epochs: 1 });
  expect(many.steps).toBe(50);
  expect(many.at(49).length).toBeGreaterThan(0);
});

test("documents of less than two tokens have nothing to teach", () => {
  expect(orderTraining([0, 1], { ...settings, steps: null, epochs: 3 }).steps).toBe(0);
});
