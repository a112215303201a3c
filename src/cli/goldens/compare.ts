/** What a comparison found out. */
export interface Comparison {
  readonly passed: boolean;
  readonly maxAbsError: number;
  /** The largest error that any element was allowed. */
  readonly bound: number;
}

/**
 * Holds `got` against `want`: |got - want| <= bound(i) at every element that is not `ignored`, but
 * for a share of at most `mayDiffer` of all. A NaN is never within a bound.
 */
export function compareValues(
  got: Float64Array,
  want: Float64Array,
  bound: (index: number) => number,
  options: { readonly ignored?: Float64Array | undefined; readonly mayDiffer?: number } = {},
): Comparison {
  if (got.length !== want.length) {
    return { passed: false, maxAbsError: Number.POSITIVE_INFINITY, bound: 0 };
  }
  let maxAbsError = 0;
  let largestBound = 0;
  let outside = 0;
  for (let i = 0; i < want.length; i++) {
    if (options.ignored?.[i]) continue;
    const error = Object.is(got[i], want[i]) ? 0 : Math.abs(got[i]! - want[i]!);
    const allowed = bound(i);
    largestBound = Math.max(largestBound, allowed);
    if (!(error <= maxAbsError)) maxAbsError = error;
    if (!(error <= allowed)) outside++;
  }
  const passed = outside <= (options.mayDiffer ?? 0) * want.length;
  return { passed, maxAbsError, bound: largestBound };
}

/** The whole of several comparisons. */
export function combine(comparisons: readonly Comparison[]): Comparison {
  return {
    passed: comparisons.length > 0 && comparisons.every(({ passed }) => passed),
    maxAbsError: Math.max(0, ...comparisons.map(({ maxAbsError }) => maxAbsError)),
    bound: Math.max(0, ...comparisons.map(({ bound }) => bound)),
  };
}

/** The distance from a bf16 value to its neighbour away from zero. */
export function bf16Ulp(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value) || 2 ** -126)));
  return 2 ** (exponent - 7);
}
