/** Places of a plot of spectra, in pixels. */
export interface SpectrumPlace {
  x(index: number): number;
  /** Of a value relative to the largest. */
  y(share: number): number;
}

/** Labels of the shares that lines are drawn at, down to a hundred-millionth. */
const LABELS = ["1", "0.1", "0.01", "10⁻³", "10⁻⁴", "10⁻⁵", "10⁻⁶", "10⁻⁷"];

/** Lines of a logarithmic axis from 1 down to `least`, at each power of ten, and where it ends. */
export function decades(least: number) {
  const powers = Math.max(1, Math.min(LABELS.length - 1, Math.ceil(-Math.log10(least) - 1e-9)));
  const levels = LABELS.slice(0, powers + 1).map((label, power) => ({
    share: 10 ** -power,
    label,
  }));
  return { levels, floor: 10 ** -powers };
}

/** Points of a polyline of singular values relative to `first`, the largest. */
export function spectrumPath(
  values: readonly number[],
  { x, y }: SpectrumPlace,
  first: number = values[0] ?? 1,
): string {
  const point = (value: number, index: number) =>
    `${x(index).toFixed(1)},${y(first > 0 ? value / first : 0).toFixed(1)}`;
  return values.map(point).join(" ");
}
