import { uniform } from "../../core/random.ts";
import {
  binThatReaches,
  SURVEY_ERROR,
  survey,
  tokensDownTo,
  type WeighedTokens,
  weigh,
} from "./likeliest.ts";

/** Sampling settings of the next token. */
export interface Sampling {
  /** Temperature; 0: the likeliest token. */
  readonly temperature: number;
  /** Keeps the k likeliest tokens; 0: all. */
  readonly topK: number;
  /** Keeps the likeliest tokens that together reach probability p; 1: all. */
  readonly topP: number;
  /** Keeps tokens with at least this fraction of the largest probability; 0: all. */
  readonly minP: number;
  /**
   * Divides positive and multiplies negative logits of tokens already present (arXiv 1909.05858).
   */
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export const GREEDY: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 0,
};

/**
 * Draws the next token's id. `before` are the ids so far, `step` counts the drawn tokens: equal
 * logits, seed and step give the same token. Filters apply in transformers' order: k, p, min-p;
 * ties are in the order of ids.
 */
export function sampleToken(
  logits: Float32Array,
  before: readonly number[],
  step: number,
  sampling: Sampling,
): number {
  const scores = penalise(logits, before, sampling.repetitionPenalty);
  const likeliest = indexOfLargest(scores);
  const best = scores[likeliest]!;
  if (sampling.temperature === 0 || !Number.isFinite(best)) return likeliest;
  // Draw 0 of seed 0 is 0, which would always choose the first token.
  const drawn = uniform(sampling.seed, step + 1);
  if (sampling.topK === 0 && sampling.topP >= 1) return drawById(scores, best, sampling, drawn);
  const { tokens, sorted } = keepLikeliest(scores, best, sampling);
  return drawByWeight(tokens, sorted, drawn) ?? likeliest;
}

function penalise(logits: Float32Array, before: readonly number[], penalty: number): Float32Array {
  if (penalty === 1) return logits;
  const scores = logits.slice();
  for (const id of new Set(before)) {
    const score = scores[id];
    if (score !== undefined) scores[id] = score < 0 ? score * penalty : score / penalty;
  }
  return scores;
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Weights that passed the filters, the largest first, and their tokens. */
interface Kept {
  readonly tokens: WeighedTokens;
  readonly sorted: Float64Array<ArrayBuffer>;
}

function keepLikeliest(scores: Float32Array, best: number, sampling: Sampling): Kept {
  const kept =
    sampling.topK > 0
      ? keepCount(scores, best, sampling)
      : (keepPart(scores, best, sampling) ?? keepPartOfAll(scores, best, sampling));
  // The largest weight is exp(0) = 1.
  const end = kept.sorted.findIndex((weight) => !(weight >= sampling.minP));
  return end < 0 ? kept : { ...kept, sorted: kept.sorted.subarray(0, end) };
}

/** Weights, sorted by falling size. */
const descending = (weights: Float64Array<ArrayBuffer>) => weights.slice().sort().reverse();

const isNumber = (score: number) => !Number.isNaN(score);

/** Number of tokens that top-k keeps, and top-p of those. */
function keepCount(scores: Float32Array, best: number, sampling: Sampling): Kept {
  const { temperature, topK, topP } = sampling;
  const wanted = { count: topK, mass: 0 };
  const bin = binThatReaches(survey(scores, best, temperature), wanted);
  const tokens =
    bin === null
      ? weigh(scores, best, temperature, isNumber)
      : tokensDownTo(scores, best, temperature, bin);
  const sorted = descending(tokens.weights).subarray(0, topK);
  if (topP >= 1) return { tokens, sorted };
  return { tokens, sorted: sorted.subarray(0, countThatReaches(sorted, topP * sum(sorted))) };
}

/**
 * Top-p over the whole vocabulary, from a survey. Null where the survey's error could move the cut.
 */
function keepPart(scores: Float32Array, best: number, sampling: Sampling): Kept | null {
  const { temperature, topP } = sampling;
  const found = survey(scores, best, temperature);
  const [least, most] = [1 - SURVEY_ERROR, 1 + SURVEY_ERROR].map((part) => part * found.total);
  const bin = binThatReaches(found, { count: 1, mass: topP * most! * (1 + SURVEY_ERROR) });
  if (bin === null) return null;
  const tokens = tokensDownTo(scores, best, temperature, bin);
  const sorted = descending(tokens.weights);
  const count = countThatReaches(sorted, topP * least!);
  const isSure = count === countThatReaches(sorted, topP * most!);
  return isSure && sorted[count - 1]! > leastKept(most!, topP, scores.length)
    ? { tokens, sorted: sorted.subarray(0, count) }
    : null;
}

/** Top-p over the whole vocabulary from the exact sum of all weights, in the order of ids. */
function keepPartOfAll(scores: Float32Array, best: number, sampling: Sampling): Kept {
  const { temperature, topP } = sampling;
  const tokens = weigh(scores, best, temperature, isNumber);
  const total = sum(tokens.weights);
  const floor = leastKept(total, topP, scores.length);
  const sorted = descending(tokens.weights.filter((weight) => weight >= floor));
  return { tokens, sorted: sorted.subarray(0, countThatReaches(sorted, topP * total)) };
}

/** Weight below which tokens can be left out: even all of them together weigh less than 1 - p. */
const leastKept = (total: number, topP: number, tokens: number) => (total * (1 - topP)) / tokens;

const sum = (weights: Float64Array) => {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  return total;
};

/** Number of leading weights that together reach `wanted`: at least one, at most all. */
function countThatReaches(sorted: Float64Array, wanted: number): number {
  let total = 0;
  for (let i = 0; i < sorted.length; i++) {
    total += sorted[i]!;
    if (total >= wanted) return i + 1;
  }
  return sorted.length;
}

/** Draws among sorted weights; of equal weights the lower id comes first. */
function drawByWeight(
  { ids, weights }: WeighedTokens,
  sorted: Float64Array,
  drawn: number,
): number | undefined {
  let left = drawn * sum(sorted);
  let place = 0;
  for (; place < sorted.length - 1; place++) {
    left -= sorted[place]!;
    if (left < 0) break;
  }
  const weight = sorted[place]!;
  let lower = place - sorted.indexOf(weight);
  for (let i = 0; i < ids.length; i++) {
    if (weights[i] !== weight) continue;
    if (lower === 0) return ids[i];
    lower -= 1;
  }
  return undefined;
}

/** Draws among all tokens, or those that min-p keeps, in the order of ids. */
function drawById(
  scores: Float32Array,
  best: number,
  { temperature, minP }: Sampling,
  drawn: number,
): number {
  // Scores one nat below min-p's limit are certainly left out.
  const lowest = best + temperature * (Math.log(minP) - 1);
  const { ids, weights } = weigh(scores, best, temperature, (z) => z >= lowest);
  let total = 0;
  for (let i = 0; i < weights.length; i++) if (weights[i]! >= minP) total += weights[i]!;
  let left = drawn * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i]! >= minP)) continue;
    last = i;
    left -= weights[i]!;
    if (left < 0) break;
  }
  return ids[last]!;
}
