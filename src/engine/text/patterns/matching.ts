/** A stretch of a text, [start, end) in UTF-16 units; it may be empty. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/** Finds what a pattern matches, from left to right, each after the one before. */
export type Matcher = (text: string) => Iterable<Match>;

/** Long texts are shown to a regular expression through a window of so many units. */
export const WINDOW_UNITS = 2 ** 16;
/** Units beyond a match that a pattern may look at in a window: past the end it sees none. */
const AHEAD_UNITS = 2 ** 12;
/** Units before a match that it can look back at. */
const BEHIND_UNITS = 2 ** 10;
/** For each started MiB of text; real patterns take less than a second. */
const MOST_MS = 10_000;
/** Shorter texts are done before a clock has been read. */
const QUICK_UNITS = 2 ** 10;

/** Finds a text within a text. */
export function matchLiteral(wanted: string): Matcher {
  return function* (text) {
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      yield { start: at, end: at + wanted.length };
    }
  };
}

/** The matches of an expression of our own, with the flag `g`. */
export function matchSafe(regex: RegExp): Matcher {
  return function* (text) {
    for (const { index, 0: found } of text.matchAll(regex)) {
      yield { start: index, end: index + found.length };
    }
  };
}

/**
 * The matches of a foreign expression, within bounds: it is tried place by place, in a window of the
 * text that moves on, and grows where a match comes near its end; `giveUp` is called when all trying
 * takes more than ten seconds for each MiB. So the matches are those in the whole text, unless the
 * pattern looks more than 4,096 units past the end of a match or 1,024 back from its beginning.
 */
export function matchRegex(regex: RegExp, giveUp: () => never): Matcher {
  const sticky = new RegExp(regex.source, `${regex.flags.replace(/[gy]/g, "")}y`);
  return function* (text) {
    const watch = new Watch(text.length, giveUp);
    let window = new TextWindow(text, 0, WINDOW_UNITS);
    for (let at = 0; at <= text.length; ) {
      if (!window.reaches(at + WINDOW_UNITS / 2)) window = new TextWindow(text, at, WINDOW_UNITS);
      const end = watch.time(() => window.matchAt(sticky, at)) ?? null;
      if (!window.reaches((end ?? at) + AHEAD_UNITS)) {
        window = new TextWindow(text, at, 2 * window.units);
        continue;
      }
      if (end !== null) yield { start: at, end };
      at = end !== null && end > at ? end : at + letterLength(text, at);
    }
  };
}

/** Part of a text, with what a pattern may look back at. */
class TextWindow {
  readonly units: number;
  readonly #from: number;
  readonly #part: string;
  readonly #isLast: boolean;

  constructor(text: string, at: number, units: number) {
    this.units = units;
    this.#from = wholeLetter(text, Math.max(0, at - BEHIND_UNITS));
    const to = wholeLetter(text, Math.min(text.length, at + units));
    this.#isLast = to === text.length;
    this.#part = text.slice(this.#from, to);
  }

  /** Whether a pattern sees the same up to here as in the whole text. */
  reaches(place: number): boolean {
    return this.#isLast || place <= this.#from + this.#part.length;
  }

  /** Where the match at a place ends. */
  matchAt(sticky: RegExp, at: number): number | null {
    sticky.lastIndex = at - this.#from;
    const found = sticky.exec(this.#part);
    return found && at + found[0].length;
  }
}

/** Adds up what trying takes. */
class Watch {
  readonly #most: number;
  readonly #giveUp: () => never;
  #spent = 0;

  constructor(units: number, giveUp: () => never) {
    this.#most = units < QUICK_UNITS ? Infinity : MOST_MS * Math.ceil(units / 2 ** 20);
    this.#giveUp = giveUp;
  }

  time<T>(work: () => T): T {
    if (this.#most === Infinity) return work();
    if (this.#spent > this.#most) this.#giveUp();
    const begun = performance.now();
    try {
      return work();
    } catch (error) {
      // Out of memory for what is still to be tried.
      if (error instanceof RangeError || (error instanceof Error && error.name === "InternalError"))
        return this.#giveUp();
      throw error;
    } finally {
      this.#spent += performance.now() - begun;
    }
  }
}

function letterLength(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** A place that is not within a surrogate pair: this one, or the one before. */
function wholeLetter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
