import { refuseTokenizer } from "../patterns/pattern.ts";

/** Largest growth of a text by normalization; NFKD makes up to 18 units of one. */
const MOST_GROWTH = 64;
/** Additional units, for prefixes and short texts. */
const MOST_EXTRA = 4096;
/** Largest normalized text: 16 Mi units, or twice its original where that is longer. */
const MOST_UNITS = 1 << 24;

/**
 * A changed text with the origin of each unit: `origin[i]` is the index in the original (UTF-16)
 * where unit i of `text` begins; the last entry is its end. Never decreasing. Inside a part that
 * was changed as a whole, all units point to its start.
 */
export interface AlignedText {
  readonly text: string;
  readonly origin: Uint32Array;
}

/** A replacement of the range [start, end) of a text. */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Range [start, end) of an original text, unchanged. */
export function alignOriginal(original: string, start: number, end: number): AlignedText {
  const origin = new Uint32Array(end - start + 1);
  for (let i = 0; i < origin.length; i++) origin[i] = start + i;
  return { text: original.slice(start, end), origin };
}

/** Units [start, end) of a text. */
export function sliceAligned(whole: AlignedText, start: number, end: number): AlignedText {
  return { text: whole.text.slice(start, end), origin: whole.origin.subarray(start, end + 1) };
}

/**
 * Text with replacements, which are ascending and disjoint. Units after removed text point behind
 * it, so it counts to the part before. `bad-config` where it grows too much.
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

/** Whether the code point at `unit` (of `length` units) is unchanged from the original. */
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
