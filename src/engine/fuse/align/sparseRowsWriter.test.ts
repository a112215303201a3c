import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toF16 } from "../rounding.ts";
import { SparseRowsWriter } from "./sparseRowsWriter.ts";
import type { SparseRows, VocabularyMap } from "./types.ts";

/** Log-probabilities in f16 as `represent` keeps them: the largest first. */
const logits = fc
  .array(fc.float({ min: -30, max: 0, noNaN: true }), { minLength: 1, maxLength: 64 })
  .map((values) => values.map(toF16).sort((a, b) => b - a));
const row = (values: readonly number[]): SparseRows => ({
  offsets: Uint32Array.of(0, values.length),
  ids: Uint32Array.from(values, (_, i) => i),
  values: Float32Array.from(values),
});
/** A source's ids onto a few of the pivot's; every fifth stands for nothing. */
const map = (targets: number): VocabularyMap => ({
  target: (id) => (id % 5 === 4 ? null : (id * 7) % targets),
  count: () => 0,
});

function write(values: readonly number[], targets: number, way: "writeSummed" | "writeMapped") {
  const writer = new SparseRowsWriter();
  writer[way](row(values), 0, map(targets));
  return writer.finish();
}

describe("entries that become one token", () => {
  test("add up: all of the mass that has a token arrives", () => {
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 70 }), (values, targets) => {
        const { ids, values: summed } = write(values, targets, "writeSummed");
        const mass = new Map<number, number>();
        for (const [id, value] of values.entries()) {
          const target = map(targets).target(id);
          if (target !== null) mass.set(target, (mass.get(target) ?? 0) + Math.exp(value));
        }
        expect(new Set(ids)).toEqual(new Set(mass.keys()));
        expect(ids.length).toBe(mass.size);
        for (const [i, id] of ids.entries()) {
          const exact = Math.log(mass.get(id)!);
          // Half an ulp of f16, 2^-11 of the number or 2^-25 below its normal range.
          const bound = Math.max(2 ** -11 * Math.abs(exact), 2 ** -25) + 1e-12;
          expect(Math.abs(summed[i]! - exact)).toBeLessThanOrEqual(bound);
        }
        expect([...summed]).toEqual([...summed].sort((a, b) => b - a));
      }),
    );
  });

  test("of the references' the largest stays, as it is", () => {
    const { ids, values } = write([-1, -1, -2, -3], 1, "writeMapped");
    expect([[...ids], [...values]]).toEqual([[0], [-1]]);
    const summed = write([-1, -1, -2, -3], 1, "writeSummed").values[0]!;
    expect(summed).toBeCloseTo(Math.log(2 * Math.exp(-1) + Math.exp(-2) + Math.exp(-3)), 3);
  });

  test("no entry at all, and none that has a token, are empty rows", () => {
    expect(write([], 3, "writeSummed").ids).toHaveLength(0);
    const writer = new SparseRowsWriter();
    expect(writer.writeSummed(row([-1]), 0, { target: () => null, count: () => 0 })).toBe(0);
  });
});
