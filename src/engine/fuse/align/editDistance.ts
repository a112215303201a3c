/** A string as Unicode code points, which edit distances count; UTF-16 has two units for some. */
export type CodePoints = Uint32Array<ArrayBuffer>;

/** Code points of a string; a lone surrogate counts as one. */
export function codePointsOf(text: string): CodePoints {
  const codes = new Uint32Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) as number;
    if (code > 0xffff) i++;
    codes[count++] = code;
  }
  return codes.slice(0, count);
}

const shared: { distance?: EditDistance } = {};

/**
 * Levenshtein distance of two strings in code points: insertions, deletions and replacements cost
 * 1.
 */
export function editDistance(a: string, b: string): number {
  if (a === b) return 0;
  shared.distance ??= new EditDistance();
  shared.distance.from(codePointsOf(a));
  return shared.distance.to(codePointsOf(b));
}

/** Bits of JavaScript's bitwise operators. */
const WORD = 32;
const CODE_SPACE = 0x110000;

/**
 * Levenshtein distances from one string to many.
 *
 * A column of the table of distances is kept as two words of bits: where it rises and where it falls
 * by one on the way down (Myers 1999, in the form of Hyyrö 2003). So one step serves 32 cells. Longer
 * strings are cut into blocks of 32 rows; what a block hands to the next is its last row, as the
 * steps from column to column.
 */
export class EditDistance {
  readonly #matches = new Int32Array(CODE_SPACE);
  #pattern: CodePoints = new Uint32Array(0);
  #steps = new Int8Array(0);

  /** Sets the string that `to` measures from, until the next call. */
  from(pattern: CodePoints): void {
    if (this.#pattern.length <= WORD) this.#forget(0, this.#pattern.length);
    this.#pattern = pattern;
    if (pattern.length <= WORD) this.#note(0, pattern.length);
  }

  /**
   * Distance to the code points [start, end) of `text`. A distance above `limit` may be returned
   * early as any number above it.
   */
  to(text: CodePoints, start = 0, end = text.length, limit = Number.POSITIVE_INFINITY): number {
    const rows = this.#pattern.length;
    if (rows === 0) return end - start;
    return rows <= WORD
      ? this.#oneWord(text, start, end, limit)
      : this.#manyWords(text, start, end);
  }

  #oneWord(text: CodePoints, start: number, end: number, limit: number): number {
    const matches = this.#matches;
    const rows = this.#pattern.length;
    const last = rows - 1;
    let distance = rows;
    let rises = -1;
    let falls = 0;
    for (let at = start; at < end; at++) {
      const same = matches[text[at] as number] as number;
      const inColumn = same | falls;
      const inRow = (((same & rises) + rises) ^ rises) | same;
      let up = falls | ~(inRow | rises);
      const down = rises & inRow;
      distance += ((up >>> last) & 1) - ((down >>> last) & 1);
      // Each remaining column lowers the last row by at most one.
      if (distance - (end - at - 1) > limit) return distance;
      up = (up << 1) | 1;
      rises = (down << 1) | ~(inColumn | up);
      falls = up & inColumn;
    }
    return distance;
  }

  #manyWords(text: CodePoints, start: number, end: number): number {
    const rows = this.#pattern.length;
    const columns = end - start;
    if (this.#steps.length < columns) this.#steps = new Int8Array(columns);
    this.#steps.fill(1, 0, columns); // the table's row 0 rises by one a column
    for (let top = 0; top < rows; top += WORD) {
      const bottom = Math.min(top + WORD, rows);
      this.#note(top, bottom);
      this.#block(text, start, end, bottom - top - 1);
      this.#forget(top, bottom);
    }
    let distance = rows;
    for (let column = 0; column < columns; column++) distance += this.#steps[column] as number;
    return distance;
  }

  /**
   * One block of rows over all columns; `#steps` holds the differences of the row above, then of
   * its last row.
   */
  #block(text: CodePoints, start: number, end: number, last: number): void {
    const matches = this.#matches;
    const steps = this.#steps;
    let rises = -1;
    let falls = 0;
    for (let at = start; at < end; at++) {
      const step = steps[at - start] as number;
      const fallsIn = step < 0 ? 1 : 0;
      const risesIn = step > 0 ? 1 : 0;
      let same = matches[text[at] as number] as number;
      const inColumn = same | falls;
      same |= fallsIn;
      const inRow = (((same & rises) + rises) ^ rises) | same;
      let up = falls | ~(inRow | rises);
      let down = rises & inRow;
      steps[at - start] = ((up >>> last) & 1) - ((down >>> last) & 1);
      up = (up << 1) | risesIn;
      down = (down << 1) | fallsIn;
      rises = down | ~(inColumn | up);
      falls = up & inColumn;
    }
  }

  /** Sets the bits of the rows in a block at which each code point of the pattern occurs. */
  #note(top: number, bottom: number): void {
    for (let row = top; row < bottom; row++) {
      const code = this.#pattern[row] as number;
      this.#matches[code] = (this.#matches[code] as number) | (1 << (row - top));
    }
  }

  #forget(top: number, bottom: number): void {
    for (let row = top; row < bottom; row++) this.#matches[this.#pattern[row] as number] = 0;
  }
}
