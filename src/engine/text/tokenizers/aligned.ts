import { refuseTokenizer } from "../patterns/pattern.ts";

/** A normalized text has at most so many times the units of its original; NFKD makes up to 18 of one. */
const MOST_GROWTH = 64;
/** Units beyond that, for prefixes and texts of few letters. */
const MOST_EXTRA = 4096;
/** A normalized text has at most 16 Mi units, or twice its original's where that is longer. */
const MOST_UNITS = 1 << 24;

/**
 * A text that was changed on its way to the model, and where each part came from. `origin[i]` is
 * the place in the original (UTF-16) where `text`'s unit i begins; the last entry is where it ends.
 * Never decreasing. Inside a part that was changed as a whole every unit points to its beginning.
 */
export interface AlignedText {
  readonly text: string;
  readonly origin: Uint32Array;
}

/** A part of a text, [start, end), and what stands there afterwards. */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The stretch [start, end) of an original text, unchanged. */
export function alignOriginal(original: string, start: number, end: number): AlignedText {
  const origin = new Uint32Array(end - start + 1);
  for (let i = 0; i < origin.length; i++) origin[i] = start + i;
  return { text: original.slice(start, end), origin };
}

/** The units [start, end) of a text. */
export function sliceAligned(whole: AlignedText, start: number, end: number): AlignedText {
  return { text: whole.text.slice(start, end), origin: whole.origin.subarray(start, end + 1) };
}

/**
 * The text with the changes made, which come in order and do not overlap. Units after something that
 * was removed point behind it, so it counts to the part before. `bad-config` where it grows without measure.
 */
export function changeAligned(whole: AlignedText, changes: readonly Change[]): AlignedText {
  if (changes.length === 0) return whole;
  const { text, origin } = whole;
  const grown = changes.reduce((sum, c) => sum + c.text.length - (c.end - c.start), text.length);
  checkGrowth(origin[text.length]! - origin[0]!, grown);
  const made = new Uint32Array(grown + 1);
  const parts: string[] = [];
  let at = 0;
  let from = 0;
  const keep = (end: number) => {
    made.set(origin.subarray(from, end), at);
    parts.push(text.slice(from, end));
    at += end - from;
  };
  for (const change of changes) {
    keep(change.start);
    made.fill(origin[change.start]!, at, at + change.text.length);
    parts.push(change.text);
    at += change.text.length;
    from = change.end;
  }
  keep(text.length);
  made[grown] = origin[text.length]!;
  return { text: parts.join(""), origin: made };
}

function checkGrowth(original: number, grown: number): void {
  const most = Math.min(
    MOST_GROWTH * original + MOST_EXTRA,
    Math.max(MOST_UNITS, 2 * original + MOST_EXTRA),
  );
  if (grown <= most) return;
  refuseTokenizer(
    `its normalizers make ${grown} characters of a text of ${original}; at most ${most} are followed`,
  );
}

/** True where the code point at `unit` (of `length` units) is the original's own. */
export function isVerbatim(
  aligned: AlignedText,
  unit: number,
  length: number,
  original: string,
): boolean {
  const start = aligned.origin[unit]!;
  return (
    aligned.origin[unit + length] === start + length &&
    original.startsWith(aligned.text.slice(unit, unit + length), start)
  );
}
