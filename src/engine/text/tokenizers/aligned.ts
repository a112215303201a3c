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
 * was removed point behind it, so it counts to the part before.
 */
export function changeAligned(whole: AlignedText, changes: readonly Change[]): AlignedText {
  if (changes.length === 0) return whole;
  const { text, origin } = whole;
  const grown = changes.reduce((sum, c) => sum + c.text.length - (c.end - c.start), text.length);
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
