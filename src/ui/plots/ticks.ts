/** Two to seven round numbers between two ends. */
export function ticks(low: number, high: number): readonly number[] {
  if (!(high > low)) return [low];
  const widest = (high - low) / 2.5;
  const power = 10 ** Math.floor(Math.log10(widest));
  const step = power * ([5, 2].find((factor) => factor * power <= widest) ?? 1);
  const all: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12); i++) all.push(i * step);
  return all;
}

const MINUS = "\u2212";

/** Tick labels with enough decimals to differ; powers of ten for tiny numbers. */
export function tickLabels(values: readonly number[]): readonly string[] {
  const [first = 0, second = first] = values;
  const step = Math.abs(second - first) || Math.abs(first) || 1;
  const tiny = step < 1e-3;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return values.map((value) => {
    const text = tiny ? String(Number(value.toExponential(2))) : value.toFixed(decimals);
    const short = tiny && value !== 0 ? Number(text).toExponential() : text;
    return (Number(text) === 0 ? short.replace("-", "") : short).replaceAll("-", MINUS);
  });
}

/** At most so many of the values, evenly spaced, the last one included. */
export function thinned<T>(values: readonly T[], most: number): readonly T[] {
  const every = Math.ceil(values.length / most);
  return values.filter((_, at) => (values.length - 1 - at) % every === 0);
}
