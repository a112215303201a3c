import { FEWEST_ROWS } from "../contract/index.ts";
import { invariant } from "../core/invariant.ts";
import { studentQuantile } from "./student.ts";

/** Score of one text: sums over its scored tokens. */
export interface Score {
  /** Negative log-likelihood, natural logarithm. */
  readonly nats: number;
  /** Scored tokens; the first token of a text without `<s>` is not. */
  readonly tokens: number;
  /** UTF-8 bytes of those tokens. */
  readonly bytes: number;
}

/** Sum of many texts' scores. Rates are null where nothing was scored. */
export interface Aggregate extends Score {
  readonly texts: number;
  readonly natsPerToken: number | null;
  /** exp(nats per token). Comparable only between models with one tokenizer. */
  readonly perplexity: number | null;
  /** Bits per byte, comparable between all tokenizers. */
  readonly bitsPerByte: number | null;
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

/** Nats per byte, in bits. */
function bitsPerByte({ nats, bytes }: { readonly nats: number; readonly bytes: number }): number {
  return nats / (Math.LN2 * bytes);
}

/** An estimate with its 95 % interval, which is null below `FEWEST_ROWS` texts. */
export interface Estimate {
  readonly mean: number;
  /** Number of texts. */
  readonly rows: number;
  readonly interval: readonly [low: number, high: number] | null;
}

/** Bits per byte over all texts; null where none has bytes. */
export function estimateBitsPerByte(scores: readonly Score[]): Estimate | null {
  const { whole, without, shares } = leaveEachOut(scores.filter(({ bytes }) => bytes > 0));
  return estimate(whole, without, shares);
}

/**
 * Bits per byte of `b` minus those of `a` over the same texts, in the same order: negative where `b`
 * is better. A text is left out of both at once, so what makes it hard for both cancels out. Texts
 * that only one of them scored count for neither. Null without any in common.
 */
export function pairedDifference(a: readonly Score[], b: readonly Score[]): Estimate | null {
  invariant(a.length === b.length, "paired scores are of the same texts");
  const common = a.flatMap(({ bytes }, i) => (bytes > 0 && b[i]!.bytes > 0 ? [i] : []));
  const theirs = leaveEachOut(common.map((i) => a[i]!));
  const ours = leaveEachOut(common.map((i) => b[i]!));
  const without = ours.without.map((each, i) => each - theirs.without[i]!);
  const shares = ours.shares.map((each, i) => (each + theirs.shares[i]!) / 2);
  return estimate(ours.whole - theirs.whole, without, shares);
}

/** Bits per byte of all texts, and with each one left out; and each one's fraction of the bytes. */
function leaveEachOut(scores: readonly Score[]) {
  const { nats, bytes } = aggregateScores(scores);
  return {
    whole: bitsPerByte({ nats, bytes }),
    without: scores.map((one) => bitsPerByte({ nats: nats - one.nats, bytes: bytes - one.bytes })),
    shares: scores.map((one) => one.bytes / bytes),
  };
}

const CONFIDENCE = 0.95;

/**
 * An estimate with its interval, from the estimates that leave out one text each: the jackknife's
 * standard error (Tukey 1958; Efron and Stein 1981) times Student's t. A long text counts for more, so
 * the degrees of freedom are one less than as many equal texts as the lengths are worth,
 * (Σx)² / Σx² (Kish 1965).
 */
function estimate(
  mean: number,
  without: readonly number[],
  shares: readonly number[],
): Estimate | null {
  const rows = without.length;
  if (rows === 0) return null;
  if (rows < FEWEST_ROWS) return { mean, rows, interval: null };
  const middle = sumOf(without) / rows;
  const squares = sumOf(without.map((each) => (each - middle) ** 2));
  const error = Math.sqrt(((rows - 1) / rows) * squares);
  const worth = 1 / sumOf(shares.map((share) => share * share));
  const half = error * studentQuantile(CONFIDENCE, Math.max(1, worth - 1));
  return { mean, rows, interval: [mean - half, mean + half] };
}

/** Sum with Neumaier's compensation, whose error does not grow with the number of terms. */
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
