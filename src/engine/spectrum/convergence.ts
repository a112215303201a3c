/** Energy, relative to what is kept, that may still be gained when a subspace counts as found. */
const TOLERANCE = 1e-4;
/** Gain of a step that float32 sums cannot tell from none. */
const NOISE = 2e-6;
/** Bounds of the ratio of two gains in a row, by which the gains to come are estimated. */
const [LEAST_RATIO, MOST_RATIO] = [0.3, 0.9];

/**
 * Whether the energy that a subspace keeps has converged. Gains shrink geometrically in the end, so
 * all that are to come are estimated by the last one and its ratio to the one before.
 */
export function isConverged(kept: readonly number[]): boolean {
  const [before, last, now] = kept.slice(-3);
  if (before === undefined || last === undefined || now === undefined) return false;
  const gain = now - last;
  if (gain <= NOISE * now) return true;
  const ratio = last > before ? gain / (last - before) : LEAST_RATIO;
  if (ratio > MOST_RATIO) return false;
  const clamped = Math.max(ratio, LEAST_RATIO);
  return (gain * clamped) / (1 - clamped) <= TOLERANCE * now;
}
