/** A range of a text, [start, end) in UTF-16 units; it may be empty. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/** Finds the matches of a pattern from left to right, without overlaps. */
export type Matcher = (text: string) => Iterable<Match>;

/** Size of the window through which a regular expression sees a long text. */
export const WINDOW_UNITS = 2 ** 16;
/** Units beyond a match that a pattern may look at within a window. */
const AHEAD_UNITS = 2 ** 12;
/** Units before a match that a pattern may look at. */
const BEHIND_UNITS = 2 ** 10;
/**
 * Initial time limit of a pattern, which grows with each MiB of text; real patterns take half a
 * second.
 */
const FIRST_MS = 10_000;
const MS_PER_MIB = 4_000;
/** Time at one position after which a pattern is not tried there in a larger window. */
const SLOW_MS = 1_000;
/** Length of texts, such as single words, that are too short to time. */
const QUICK_UNITS = 32;
/** Length up to which a text is timed as a whole. */
const SHORT_UNITS = 2 ** 10;

/** Matcher of a literal text. */
export function matchLiteral(wanted: string): Matcher {
  return function* (text) {
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      yield { start: at, end: at + wanted.length };
    }
  };
}

/** Matcher of one of our own expressions, with the flag `g`. */
export function matchSafe(regex: RegExp): Matcher {
  return function* (text) {
    for (const { index, 0: found } of text.matchAll(regex)) {
      yield { start: index, end: index + found.length };
    }
  };
}

/**
 * Matcher of a foreign expression, within time limits: it is tried position by position in a moving
 * window, which grows where a match comes near its end; `giveUp` is called after ten seconds plus
 * four per MiB. Matches equal those in the whole text, unless the pattern looks more than 4,096
 * units past the end of a match or 1,024 before its start.
 */
export function matchRegex(regex: RegExp, giveUp: () => never): Matcher {
  const sticky = new RegExp(regex.source, `${regex.flags.replace(/[gy]/g, "")}y`);
  const account = new TimeAccount(giveUp);
  return (text) => {
    if (text.length < QUICK_UNITS) return account.guard(() => [...matchAll(sticky, text)]);
    account.allow(text.length);
    if (text.length < SHORT_UNITS) return account.time(() => [...matchAll(sticky, text)]);
    return matchInWindows(sticky, text, account);
  };
}

function* matchAll(sticky: RegExp, text: string): Generator<Match> {
  for (let at = 0; at <= text.length; ) {
    sticky.lastIndex = at;
    const found = sticky.exec(text);
    const end = found ? at + found[0].length : at;
    if (found) yield { start: at, end };
    at = end > at ? end : at + letterLength(text, at);
  }
}

function* matchInWindows(sticky: RegExp, text: string, account: TimeAccount): Generator<Match> {
  let window = new TextWindow(text, 0, WINDOW_UNITS);
  for (let at = 0; at <= text.length; ) {
    if (!window.reaches(at + WINDOW_UNITS / 2)) window = new TextWindow(text, at, WINDOW_UNITS);
    const end = account.time(() => window.matchAt(sticky, at));
    if (!window.reaches((end ?? at) + AHEAD_UNITS)) {
      if (account.last > SLOW_MS) account.giveUp();
      window = new TextWindow(text, at, 2 * window.units);
      continue;
    }
    if (end !== null) yield { start: at, end };
    at = end !== null && end > at ? end : at + letterLength(text, at);
  }
}

/** A window of the text, with the context that a pattern may look back at. */
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

  /** Whether a pattern sees the same up to this position as in the whole text. */
  reaches(place: number): boolean {
    return this.#isLast || place <= this.#from + this.#part.length;
  }

  /** End of the match at a position, or null. */
  matchAt(sticky: RegExp, at: number): number | null {
    sticky.lastIndex = at - this.#from;
    const found = sticky.exec(this.#part);
    return found && at + found[0].length;
  }
}

/** Remaining time of a pattern, over all texts. */
class TimeAccount {
  readonly giveUp: () => never;
  #left = FIRST_MS;
  /** Time of the last trial. */
  last = 0;

  constructor(giveUp: () => never) {
    this.giveUp = giveUp;
  }

  /** Adds the time of a text; at most the first ten seconds are carried over. */
  allow(units: number): void {
    const more = (units / 2 ** 20) * MS_PER_MIB;
    this.#left = Math.min(this.#left + more, FIRST_MS + more);
  }

  time<T>(work: () => T): T {
    if (this.#left < 0) this.giveUp();
    const begun = performance.now();
    try {
      return this.guard(work);
    } finally {
      this.last = performance.now() - begun;
      this.#left -= this.last;
    }
  }

  /** Gives up where memory does not suffice for the matching or for the pattern itself. */
  guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const names = ["RangeError", "InternalError", "SyntaxError"];
      if (error instanceof Error && names.includes(error.name)) return this.giveUp();
      throw error;
    }
  }
}

function letterLength(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Position outside a surrogate pair: this one, or the one before. */
function wholeLetter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
