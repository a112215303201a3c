import type { CostTable } from "./dtw.ts";
import { type CodePoints, codePointsOf, EditDistance, editDistance } from "./editDistance.ts";

/** How a profile writes tokens before it compares them. */
export interface Spelling {
  /** What is compared: strings without their markers. */
  plain(id: number): string;
  /** What is compared where one of the two has nothing but markers. */
  whole(id: number): string;
}

/** Costs of a pair by its edit distance and by whether one string contains the other. */
export type PairCost = (distance: number, contained: boolean) => number;

interface Word {
  readonly plain: string;
  readonly whole: string;
  readonly points: CodePoints;
}

/** Has megabytes of tables, and is set anew for each line. */
const DISTANCE = new EditDistance();
/** So many strings a side have their distances kept for the documents to come. */
const KEPT = 4096;
const UNKNOWN = 0xffff;
/** Distances from here on are taken to be this: no token has so many letters. */
const FARTHEST = 0x7ffe;

/**
 * Costs of pairs of tokens. Texts repeat their words, so a string is looked at once, and distances
 * between the strings that came first (the common ones, mostly) are kept: at most 32 MB.
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

  /** The costs between the tokens of two texts. */
  between(source: Uint32Array, pivot: Uint32Array): CostTable {
    const rows = distinct(source, this.#source);
    const columns = distinct(pivot, this.#pivot);
    const width = columns.words.length;
    const codes = new Uint16Array(rows.words.length * width);
    let largest = 0;
    for (const [row, word] of rows.words.entries()) {
      const line = codes.subarray(row * width, (row + 1) * width);
      this.#fill(line, word, columns.words);
      for (const code of line) if (code > largest) largest = code;
    }
    return {
      ...{ codes, columns: width, costs: this.#costsUpTo(largest) },
      ...{ rows: rows.index, pivots: columns.index },
    };
  }

  #fill(line: Uint16Array, source: number, pivots: readonly number[]): void {
    const kept = this.#keptRow(source);
    const word = this.#source.words[source]!;
    let set = false;
    for (let column = 0; column < line.length; column++) {
      const pivot = pivots[column]!;
      const mayKeep = kept !== undefined && pivot < KEPT;
      let code = mayKeep ? kept[pivot]! : UNKNOWN;
      if (code === UNKNOWN) {
        if (!set) DISTANCE.from(word.points);
        const other = this.#pivot.words[pivot]!;
        set = word.plain !== "" && other.plain !== "";
        code = set
          ? codeOf(word.plain, other.plain, DISTANCE.to(other.points))
          : codeOf(word.whole, other.whole, editDistance(word.whole, other.whole));
        if (mayKeep) kept[pivot] = code;
      }
      line[column] = code;
    }
  }

  /** What is kept of a source's string, with room for the pivot's that are known. */
  #keptRow(source: number): Uint16Array | undefined {
    if (source >= KEPT) return undefined;
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

/** A distance and whether one string contains the other, in one number. */
function codeOf(one: string, other: string, distance: number): number {
  const longer = one.length > other.length ? one : other;
  // Where one contains the other, the rest is what has to be inserted.
  const contained =
    distance <= Math.abs(one.length - other.length) &&
    longer.includes(longer === one ? other : one);
  return Math.min(distance, FARTHEST) * 2 + (contained ? 1 : 0);
}

/** The strings of one side, numbered as they come. */
class Words {
  readonly words: Word[] = [];
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
      this.#byText.set(key, found);
    }
    this.#byId.set(id, found);
    return found;
  }
}

/** The different strings of a text, and which of them each token is. */
function distinct(ids: Uint32Array, side: Words) {
  const places = new Map<number, number>();
  const words: number[] = [];
  const index = Uint32Array.from(ids, (id) => {
    const word = side.numberOf(id);
    const place = places.get(word) ?? words.length;
    if (place === words.length) {
      words.push(word);
      places.set(word, place);
    }
    return place;
  });
  return { words, index };
}
