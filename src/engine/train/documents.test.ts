import fc from "fast-check";
import { expect, test } from "vitest";
import { partDocuments } from "./documents.ts";

test("every document is learned or held out, and at least one is learned", () => {
  const holdout = fc.double({ min: 0, max: 0.9, noNaN: true });
  const seed = fc.nat();
  fc.assert(
    fc.property(fc.nat({ max: 200 }), holdout, seed, (count, part, seed) => {
      const { learned, heldOut } = partDocuments(count, { holdout: part, seed });
      const all = [...learned, ...heldOut].sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: count }, (_, i) => i));
      if (count > 0) expect(learned.length).toBeGreaterThan(0);
      if (part > 0 && count > 1) expect(heldOut.length).toBeGreaterThan(0);
      if (part === 0) expect(heldOut.length).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("the same seed holds out the same documents, another one others", () => {
  const heldOut = (seed: number) => [...partDocuments(100, { holdout: 0.1, seed }).heldOut];
  expect(heldOut(1)).toEqual(heldOut(1));
  expect(heldOut(1)).not.toEqual(heldOut(2));
  expect(heldOut(1)).toHaveLength(10);
});
