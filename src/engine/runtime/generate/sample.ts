/** How the next token is drawn. */
export interface Sampling {
  /** 0: the likeliest token. */
  readonly temperature: number;
  /** Only the k likeliest; 0: all. */
  readonly topK: number;
  /** Only the likeliest that together reach p; 1: all. */
  readonly topP: number;
  /** Only those at least this part as likely as the likeliest; 0: all. */
  readonly minP: number;
  /** Divides positive and multiplies negative logits of tokens already there (arXiv 1909.05858). */
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
 * The next token's id. `before` are the ids so far, `step` counts the tokens drawn: the same logits,
 * seed and step always give the same token. Equally likely tokens count in the order of their ids.
 */
export function sampleToken(
  logits: Float32Array,
  before: readonly number[],
  step: number,
  sampling: Sampling,
): number {
  const scores = penalise(logits, before, sampling.repetitionPenalty);
  const best = indexOfLargest(scores);
  if (sampling.temperature === 0) return best;
  // Float64 from here on: sums over 150,000 tokens are compared with p.
  const weights = Float64Array.from(scores, (z) =>
    Math.exp((z - scores[best]!) / sampling.temperature),
  );
  const kept = keepLikeliest(weights, sampling);
  const total = kept.reduce((sum, id) => sum + weights[id]!, 0);
  // The first number of seed 0 is 0, which would always draw the first token.
  let left = uniform(sampling.seed, step + 1) * total;
  for (const id of kept) {
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return kept.at(-1) ?? best;
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

/** The ids that may be drawn, the likeliest first; filters in the order of transformers. */
function keepLikeliest(weights: Float64Array, { topK, topP, minP }: Sampling): readonly number[] {
  let total = 0;
  let largest = 0;
  for (const weight of weights) {
    total += weight;
    if (weight > largest) largest = weight;
  }
  // All below this together weigh less than what top-p leaves out: they need not be sorted.
  const floor = topK > 0 ? 0 : (total * (1 - topP)) / weights.length;
  const ids: number[] = [];
  for (let id = 0; id < weights.length; id++) if (weights[id]! >= floor) ids.push(id);
  if (topK > 0 || topP < 1) ids.sort((a, b) => weights[b]! - weights[a]! || a - b);
  const top = topK > 0 ? ids.slice(0, topK) : ids;
  // The part is one of all that top-k leaves, those below the floor included.
  const whole = topK > 0 ? top.reduce((sum, id) => sum + weights[id]!, 0) : total;
  const nucleus = topP < 1 ? firstThatReach(weights, top, topP * whole) : top;
  return minP > 0 ? nucleus.filter((id) => weights[id]! >= minP * largest) : nucleus;
}

function firstThatReach(
  weights: Float64Array,
  ids: readonly number[],
  wanted: number,
): readonly number[] {
  let sum = 0;
  const end = ids.findIndex((id) => {
    sum += weights[id]!;
    return sum >= wanted;
  });
  return ids.slice(0, end < 0 ? ids.length : Math.max(1, end + 1));
}

/** A number in [0, 1) from a seed and a counter: 53 bits of two murmur3 finalisers. */
export function uniform(seed: number, counter: number): number {
  const high = finalise(finalise(seed) ^ Math.imul(counter, 0x9e3779b9));
  const low = finalise(high ^ Math.imul(counter + 1, 0x85ebca6b) ^ seed);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

function finalise(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
