/**
 * Range of the survey in nats below the largest score: tokens below weigh less than 2e-21 of it.
 */
const MOST_NATS = 48;
const BINS_PER_NAT = 64;
const BINS = MOST_NATS * BINS_PER_NAT;
/** exp(-x) at the start of each bin. */
const BIN_STARTS = Float64Array.from({ length: BINS }, (_, bin) => Math.exp(-bin / BINS_PER_NAT));

/**
 * How far the sum of a survey may be from the sum of all weights in float64, as a part of it: the
 * series below is right to 2e-14, and adding up to 2²⁴ weights, the largest vocabulary, rounds by at
 * most 2²⁴ · 2⁻⁵³ = 2e-9 of their sum.
 */
export const SURVEY_ERROR = 4e-9;

/** Tokens with their exact weights exp((z - largest z) / temperature). */
export interface WeighedTokens {
  /** Ascending. */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly weights: Float64Array<ArrayBuffer>;
}

/** Number and total weight of the tokens in each bin of distance from the largest score. */
export interface Survey {
  readonly counts: Uint32Array<ArrayBuffer>;
  readonly masses: Float64Array<ArrayBuffer>;
  /** Sum of all weights, to within `SURVEY_ERROR`. */
  readonly total: number;
}

/** Surveys the scores in one pass without calls of exp. */
export function survey(scores: Float32Array, best: number, temperature: number): Survey {
  const counts = new Uint32Array(BINS);
  const masses = new Float64Array(BINS);
  const scale = BINS_PER_NAT / temperature;
  for (let id = 0; id < scores.length; id++) {
    const at = (best - scores[id]!) * scale;
    if (!(at < BINS)) continue; // NaN too
    const bin = at | 0;
    const r = (at - bin) / BINS_PER_NAT;
    // exp(-r) by its series: r is below 1/64.
    const rest = 1 - r * (1 - r * (1 / 2 - r * (1 / 6 - r * (1 / 24 - r / 120))));
    counts[bin]! += 1;
    masses[bin]! += BIN_STARTS[bin]! * rest;
  }
  return { counts, masses, total: masses.reduce((sum, mass) => sum + mass, 0) };
}

/**
 * First bin down to which the likeliest tokens are at least `count` and weigh at least `mass`; null
 * where the survey ends before.
 */
export function binThatReaches(
  { counts, masses }: Survey,
  wanted: { readonly count: number; readonly mass: number },
): number | null {
  let count = 0;
  let mass = 0;
  for (let bin = 0; bin < BINS; bin++) {
    count += counts[bin]!;
    mass += masses[bin]!;
    if (count >= wanted.count && mass >= wanted.mass) return bin;
  }
  return null;
}

/**
 * Tokens down to the end of the bin after a given one: whatever the rounding of exp, those left out
 * weigh less than the given bin's.
 */
export function tokensDownTo(
  scores: Float32Array,
  best: number,
  temperature: number,
  bin: number,
): WeighedTokens {
  const scale = BINS_PER_NAT / temperature;
  return weigh(scores, best, temperature, (z) => (best - z) * scale < bin + 2);
}

/** Tokens whose score passes, with their exact weights. */
export function weigh(
  scores: Float32Array,
  best: number,
  temperature: number,
  passes: (score: number) => boolean,
): WeighedTokens {
  const ids = new Uint32Array(scores.length);
  let count = 0;
  for (let id = 0; id < scores.length; id++) if (passes(scores[id]!)) ids[count++] = id;
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) weights[i] = Math.exp((scores[ids[i]!]! - best) / temperature);
  return { ids: ids.slice(0, count), weights };
}
