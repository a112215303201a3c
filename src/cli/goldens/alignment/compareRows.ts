import type { Groups, SparseRows } from "../../../engine/fuse/align/types.ts";
import { type Comparison, compareValues } from "../compare.ts";
import type { GoldenRow } from "./files.ts";

/** The manifest's rule: values are rounded to six digits. */
const RELATIVE = 1e-5;

const DIFFERENT: Comparison = { passed: false, maxAbsError: Number.POSITIVE_INFINITY, bound: 0 };

export function compareCost(got: number, want: number): Comparison {
  const bound = RELATIVE * Math.abs(want);
  return compareValues(Float64Array.of(got), Float64Array.of(want), () => bound);
}

/** Groups have to be the same. */
export function compareGroups(
  { offsets, positions }: Groups,
  want: readonly (readonly number[])[],
): Comparison {
  const same =
    want.length === offsets.length - 1 &&
    want.every(
      (group, at) => positions.subarray(offsets[at]!, offsets[at + 1]!).join() === group.join(),
    );
  return same ? { passed: true, maxAbsError: 0, bound: 0 } : DIFFERENT;
}

/** Ids have to be the same, values nearly. What the reference mixes in no order is put in ours. */
export function compareRows(got: SparseRows, want: readonly GoldenRow[]): Comparison {
  const ordered = want.map(([ids, values]) =>
    ids.map((id, at) => [id, values[at]!] as const).sort((a, b) => b[1] - a[1]),
  );
  const offsets = [0];
  for (const row of ordered) offsets.push(offsets.at(-1)! + row.length);
  const entries = ordered.flat();
  const same =
    offsets.join() === got.offsets.join() && entries.map(([id]) => id).join() === got.ids.join();
  if (!same) return DIFFERENT;
  const values = Float64Array.from(entries, ([, value]) => value);
  return compareValues(
    Float64Array.from(got.values),
    values,
    (at) => RELATIVE * Math.abs(values[at]!),
  );
}
