import { type CodePoints, codePointsOf, EditDistance } from "../editDistance.ts";

/** Strings of one length in code points, in the order of their indices. */
interface Bucket {
  /** Index of each string in the given list. */
  readonly indices: Uint32Array;
  /** Code points of all strings, one string after the other. */
  readonly codes: CodePoints;
  /** Bit set of the letters in each string: two words a string. */
  readonly marks: Int32Array;
}

/** Bits of a letter set, in two words of 32 bits. */
const MARKS = 64;

/**
 * Finds the nearest of many strings by Levenshtein's distance, the first in their order where
 * several are as near: what comparing with every one of them would give, with few compared.
 *
 * Two bounds leave most out. A distance is at least the difference of lengths, so lengths are tried
 * from the string's own outwards until no better one can come; and it is at least the number of
 * letters that only one of the two has.
 */
export class NearestString {
  readonly #buckets: readonly (Bucket | undefined)[];
  readonly #markOf: ReadonlyMap<number, number>;
  readonly #distance = new EditDistance();
  #best = Number.POSITIVE_INFINITY;
  #bestIndex = -1;

  /** Empty strings are never found. */
  constructor(strings: readonly string[]) {
    const coded = strings.map(codePointsOf);
    this.#markOf = markLetters(coded);
    this.#buckets = fillBuckets(coded, this.#markOf);
  }

  /**
   * Index and distance of the nearest string, the first of several; index -1 where there are none.
   */
  find(text: string): { readonly index: number; readonly distance: number } {
    this.#best = Number.POSITIVE_INFINITY;
    this.#bestIndex = -1;
    this.#scan(text, null);
    return { index: this.#bestIndex, distance: this.#best };
  }

  /** Indices of all strings at most `distance` away, ascending. */
  within(text: string, distance: number): readonly number[] {
    this.#best = distance;
    this.#bestIndex = Number.POSITIVE_INFINITY;
    const found: number[] = [];
    this.#scan(text, found);
    return found.sort((a, b) => a - b);
  }

  #scan(text: string, found: number[] | null): void {
    const codes = codePointsOf(text);
    const [low, high] = marksOf(codes, 0, codes.length, this.#markOf);
    this.#distance.from(codes);
    const furthest = Math.max(codes.length, this.#buckets.length - codes.length);
    for (let gap = 0; gap <= furthest && gap <= this.#best; gap++) {
      this.#scanBucket(codes.length - gap, gap, low, high, found);
      if (gap > 0) this.#scanBucket(codes.length + gap, gap, low, high, found);
    }
  }

  /** Compares strings of one length, and updates the best index or adds to `found`. */
  #scanBucket(length: number, gap: number, low: number, high: number, found: number[] | null) {
    const bucket = this.#buckets[length];
    if (!bucket) return;
    const { indices, codes, marks } = bucket;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number;
      // A string at the same distance only counts where its index is smaller.
      const limit = index < this.#bestIndex || this.#bestIndex < 0 ? this.#best : this.#best - 1;
      if (gap > limit) continue;
      const itsLow = marks[2 * i] as number;
      const itsHigh = marks[2 * i + 1] as number;
      if (bitsIn(low & ~itsLow, high & ~itsHigh) > limit) continue;
      if (bitsIn(itsLow & ~low, itsHigh & ~high) > limit) continue;
      const distance = this.#distance.to(codes, i * length, (i + 1) * length, limit);
      if (distance > limit) continue;
      if (found) found.push(index);
      else {
        this.#best = distance;
        this.#bestIndex = index;
      }
    }
  }
}

/** Number of bits set in two words. */
function bitsIn(low: number, high: number): number {
  const a = low - ((low >>> 1) & 0x55555555);
  const b = high - ((high >>> 1) & 0x55555555);
  const c = (a & 0x33333333) + ((a >>> 2) & 0x33333333) + (b & 0x33333333);
  const d = c + ((b >>> 2) & 0x33333333);
  return Math.imul((d & 0x0f0f0f0f) + ((d >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
}

/**
 * Bit of each letter: the commonest have one of their own, the others share, which only loosens the
 * bound.
 */
function markLetters(strings: readonly CodePoints[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const codes of strings) {
    for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  return new Map(byCount.map(([code], rank) => [code, rank % MARKS]));
}

/** Letters that occur in none of the strings share the last bit. */
function marksOf(
  codes: CodePoints,
  start: number,
  end: number,
  markOf: ReadonlyMap<number, number>,
): readonly [number, number] {
  let low = 0;
  let high = 0;
  for (let i = start; i < end; i++) {
    const mark = markOf.get(codes[i] as number) ?? MARKS - 1;
    if (mark < 32) low |= 1 << mark;
    else high |= 1 << (mark - 32);
  }
  return [low, high];
}

function fillBuckets(
  strings: readonly CodePoints[],
  markOf: ReadonlyMap<number, number>,
): readonly (Bucket | undefined)[] {
  const members: number[][] = [];
  for (const [index, { length }] of strings.entries()) {
    if (length === 0) continue;
    const sameLength = members[length] ?? [];
    members[length] = sameLength;
    sameLength.push(index);
  }
  return Array.from({ length: members.length }, (_, length) => {
    const indices = members[length];
    return indices && fillBucket(strings, Uint32Array.from(indices), length, markOf);
  });
}

function fillBucket(
  strings: readonly CodePoints[],
  indices: Uint32Array,
  length: number,
  markOf: ReadonlyMap<number, number>,
): Bucket {
  const codes = new Uint32Array(indices.length * length);
  const marks = new Int32Array(2 * indices.length);
  for (const [i, index] of indices.entries()) {
    codes.set(strings[index] as CodePoints, i * length);
    marks.set(marksOf(codes, i * length, (i + 1) * length, markOf), 2 * i);
  }
  return { indices, codes, marks };
}
