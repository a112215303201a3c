import type { CostTable } from "./dtw.ts";
import { type CodePoints, codePointsOf, EditDistance, editDistance } from "./editDistance.ts";

/** Strings of a profile's token comparison. */
export interface Spelling {
  /** String without its space marker. */
  plain(id: number): string;
  /** String that is compared where one of the two consists of markers alone. */
  whole(id: number): string;
}

/** Cost of a pair from its edit distance and whether one string contains the other. */
export type PairCost = (distance: number, contained: boolean) => number;

interface Word {
  readonly plain: string;
  readonly whole: string;
  readonly points: CodePoints;
}

/** Shared: it has megabytes of tables and is reset for each line. */
const DISTANCE = new EditDistance();
/** Number of strings a side whose distances are kept from document to document. */
const KEPT = 4096;
const UNKNOWN = 0xffff;
const NOTHING = new Uint16Array(0);
/** Upper bound of the stored distances: no token is that long. */
const FARTHEST = 0x7ffe;

/**
 * Costs of token pairs. Each distinct string is compared once, and distances between the first
 * `KEPT` strings of each side, mostly common ones, are kept: at most 32 MB.
 */
export class PairCosts {
  readonly #source: Words;
  readonly #pivot: Words;
  readonly #kept: (Uint16Array | undefined)[] = [];
  readonly #cost: PairCost;
  #costs = new Float64Array(0);

  constructor(source: Spelling, pivot: Spelling, cost: PairCost) {
    this.#source = new Words(source);
    this.#pivot = new Words(pivot);
    this.#cost = cost;
  }

  /** Costs between the tokens of two texts. */
  between(source: Uint32Array, pivot: Uint32Array): CostTable {
    const rows = distinct(source, this.#source);
    const columns = distinct(pivot, this.#pivot);
    const packed = pack(Array.from(columns.words, (word) => this.#pivot.words[word]!.points));
    const width = columns.words.length;
    const codes = new Uint16Array(rows.words.length * width);
    for (const [row, word] of rows.words.entries()) {
      this.#fill(codes.subarray(row * width, (row + 1) * width), word, columns.words, packed);
    }
    const longest = Math.max(this.#source.longest, this.#pivot.longest);
    return {
      codes,
      columns: width,
      costs: this.#costsUpTo(codeOf(longest, true)),
      rows: rows.index,
      pivots: columns.index,
    };
  }

  #fill(
    line: Uint16Array,
    source: number,
    pivots: Uint32Array,
    { points, starts }: PackedWords,
  ): void {
    const kept = this.#keptRow(source);
    const word = this.#source.words[source]!;
    const length = word.points.length;
    let set = false;
    for (let column = 0; column < line.length; column++) {
      const pivot = pivots[column]!;
      const known = pivot < kept.length ? kept[pivot]! : UNKNOWN;
      if (known !== UNKNOWN) {
        line[column] = known;
        continue;
      }
      if (!set) DISTANCE.from(word.points);
      set = true;
      const [start, end] = [starts[column]!, starts[column + 1]!];
      let code: number;
      if (length === 0 || start === end) {
        code = compareWhole(word.whole, this.#pivot.words[pivot]!.whole);
      } else {
        const distance = DISTANCE.to(points, start, end);
        const difference = length - (end - start);
        // Where one string contains the other, the distance is the number of inserted characters.
        const contained =
          distance === Math.abs(difference) &&
          contains(word.plain, this.#pivot.words[pivot]!.plain, difference > 0);
        code = codeOf(distance, contained);
      }
      if (pivot < kept.length) kept[pivot] = code;
      line[column] = code;
    }
  }

  /** Kept distances of a source string, with room for the pivot's known strings. */
  #keptRow(source: number): Uint16Array {
    if (source >= KEPT) return NOTHING;
    const row = this.#kept[source];
    const count = Math.min(KEPT, this.#pivot.words.length);
    if (row && row.length >= count) return row;
    const wider = new Uint16Array(2 ** Math.ceil(Math.log2(count))).fill(UNKNOWN);
    if (row) wider.set(row);
    this.#kept[source] = wider;
    return wider;
  }

  #costsUpTo(code: number): Float64Array {
    if (this.#costs.length <= code) {
      const cost = (each: number) => this.#cost(each >> 1, (each & 1) === 1);
      this.#costs = Float64Array.from({ length: code + 1 }, (_, each) => cost(each));
    }
    return this.#costs;
  }
}

function contains(one: string, other: string, oneIsLonger: boolean): boolean {
  return oneIsLonger ? one.includes(other) : other.includes(one);
}

function compareWhole(one: string, other: string): number {
  return codeOf(editDistance(one, other), one.includes(other) || other.includes(one));
}

/** Code of a distance and a containment flag, in one number. */
function codeOf(distance: number, contained: boolean): number {
  return Math.min(distance, FARTHEST) * 2 + (contained ? 1 : 0);
}

/** Distinct strings of one side, numbered in order of first occurrence. */
class Words {
  readonly words: Word[] = [];
  /** Length of the longest string so far. */
  longest = 0;
  readonly #byId = new Map<number, number>();
  readonly #byText = new Map<string, number>();
  readonly #spelling: Spelling;

  constructor(spelling: Spelling) {
    this.#spelling = spelling;
  }

  numberOf(id: number): number {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const plain = this.#spelling.plain(id);
    const whole = this.#spelling.whole(id);
    const key = JSON.stringify([plain, whole]);
    const found = this.#byText.get(key) ?? this.words.length;
    if (found === this.words.length) {
      this.words.push({ plain, whole, points: codePointsOf(plain) });
      this.longest = Math.max(this.longest, plain.length, whole.length);
      this.#byText.set(key, found);
    }
    this.#byId.set(id, found);
    return found;
  }
}

/** Strings one after the other: string w has the code points [starts[w], starts[w + 1]). */
interface PackedWords {
  readonly points: CodePoints;
  readonly starts: Uint32Array;
}

function pack(words: readonly CodePoints[]): PackedWords {
  const starts = new Uint32Array(words.length + 1);
  for (const [i, { length }] of words.entries()) starts[i + 1] = starts[i]! + length;
  const points = new Uint32Array(starts.at(-1)!);
  for (const [i, word] of words.entries()) points.set(word, starts[i]!);
  return { points, starts };
}

/** Distinct strings of a text, and the index of each token's string among them. */
function distinct(ids: Uint32Array, side: Words) {
  const places = new Map<number, number>();
  const found: number[] = [];
  const index = Uint32Array.from(ids, (id) => {
    const word = side.numberOf(id);
    const place = places.get(word) ?? found.length;
    if (place === found.length) {
      found.push(word);
      places.set(word, place);
    }
    return place;
  });
  return { words: Uint32Array.from(found), index };
}
