import { invariant } from "../core/invariant.ts";
import { createRandom } from "../core/random.ts";

/** What a model made of one text: the sum over its scored tokens. */
export interface Score {
  /** Negative log-likelihood, natural logarithm. */
  readonly nats: number;
  /** Tokens that were predicted; the first of a text without `<s>` is not. */
  readonly tokens: number;
  /** UTF-8 bytes that those tokens stand for. */
  readonly bytes: number;
}

/** Scores of many texts together. Rates are null where nothing was scored. */
export interface Aggregate extends Score {
  readonly texts: number;
  readonly natsPerToken: number | null;
  /** e to the nats per token. Comparable only between models with one tokenizer. */
  readonly perplexity: number | null;
  /** Comparable between models whatever their tokenizers. */
  readonly bitsPerByte: number | null;
}

/** An estimate with the range that the truth lies in with the given confidence. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly seed: number;
  /** Resamples; 2,000 by default. */
  readonly resamples?: number;
  /** 0.95 by default. */
  readonly confidence?: number;
}

/** Sums scores; sums of many small numbers keep their low bits (Neumaier). */
export function aggregateScores(scores: readonly Score[]): Aggregate {
  const nats = sumOf(scores.map((score) => score.nats));
  const tokens = scores.reduce((sum, score) => sum + score.tokens, 0);
  const bytes = scores.reduce((sum, score) => sum + score.bytes, 0);
  const natsPerToken = tokens > 0 ? nats / tokens : null;
  return {
    nats,
    tokens,
    bytes,
    texts: scores.length,
    natsPerToken,
    perplexity: natsPerToken === null ? null : Math.exp(natsPerToken),
    bitsPerByte: bytes > 0 ? bitsPerByte({ nats, bytes }) : null,
  };
}

/** Nats over bytes, in bits. */
function bitsPerByte({ nats, bytes }: { readonly nats: number; readonly bytes: number }): number {
  return nats / (Math.LN2 * bytes);
}

/**
 * Bits per byte over all texts, with a percentile bootstrap over texts: whole texts are drawn again,
 * because tokens of one text are not independent. Null with fewer than two texts with bytes.
 */
export function bitsPerByteInterval(
  scores: readonly Score[],
  options: BootstrapOptions,
): Interval | null {
  const scored = scores.filter(({ bytes }) => bytes > 0);
  if (scored.length < 2) return null;
  return bootstrap(scored.length, options, (draw) => {
    let nats = 0;
    let bytes = 0;
    for (const i of draw) {
      nats += scored[i]!.nats;
      bytes += scored[i]!.bytes;
    }
    return bitsPerByte({ nats, bytes });
  });
}

/** How much one model differs from another over the same texts. */
export interface PairedDifference extends Interval {
  /** Texts where `b` needs fewer bits, as many, and more. */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
}

/**
 * Bits per byte of `b` minus those of `a` over the same texts, in the same order: negative where `b`
 * is better. Both are drawn together, so that texts that are hard for both cancel out. Texts that
 * only one of them scored count for neither. Null with fewer than two in common.
 */
export function pairedDifference(
  a: readonly Score[],
  b: readonly Score[],
  options: BootstrapOptions,
): PairedDifference | null {
  invariant(a.length === b.length, "paired scores are of the same texts");
  const pairs = a
    .map((score, i) => [score, b[i]!] as const)
    .filter(([x, y]) => x.bytes > 0 && y.bytes > 0);
  if (pairs.length < 2) return null;
  const interval = bootstrap(pairs.length, options, (draw) => {
    const sums = { a: { nats: 0, bytes: 0 }, b: { nats: 0, bytes: 0 } };
    for (const i of draw) {
      const [x, y] = pairs[i]!;
      sums.a.nats += x.nats;
      sums.a.bytes += x.bytes;
      sums.b.nats += y.nats;
      sums.b.bytes += y.bytes;
    }
    return bitsPerByte(sums.b) - bitsPerByte(sums.a);
  });
  const signs = pairs.map(([x, y]) => Math.sign(bitsPerByte(y) - bitsPerByte(x)));
  const count = (sign: number) => signs.filter((found) => found === sign).length;
  return { ...interval, wins: count(-1), ties: count(0), losses: count(1) };
}

const DEFAULT_RESAMPLES = 2000;
const DEFAULT_CONFIDENCE = 0.95;

/**
 * A percentile bootstrap: `statistic` of the data itself, and the quantiles of it over resamples
 * drawn with replacement. The same seed gives the same interval.
 */
export function bootstrap(
  count: number,
  { seed, resamples = DEFAULT_RESAMPLES, confidence = DEFAULT_CONFIDENCE }: BootstrapOptions,
  statistic: (draw: Uint32Array) => number,
): Interval {
  invariant(count > 0 && resamples > 0, "there is something to draw");
  invariant(confidence > 0 && confidence < 1, "confidence lies between 0 and 1");
  const random = createRandom(seed);
  const draw = Uint32Array.from({ length: count }, (_, i) => i);
  const estimate = statistic(draw);
  const values = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < count; i++) draw[i] = Math.floor(random() * count);
    values[r] = statistic(draw);
  }
  values.sort();
  const tail = (1 - confidence) / 2;
  return { estimate, low: quantile(values, tail), high: quantile(values, 1 - tail) };
}

/** The q-quantile of sorted values, between neighbours in proportion (as numpy's default). */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  invariant(sorted.length > 0 && q >= 0 && q <= 1, "a quantile of something");
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (place - below);
}

/** A sum whose error does not grow with the number of terms (Neumaier). */
function sumOf(values: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}
