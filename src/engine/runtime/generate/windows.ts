import { invariant } from "../../core/invariant.ts";

/** A stretch of a text that is read at once; tokens [scoredFrom, end) are predicted in it. */
export interface ScoredWindow {
  readonly start: number;
  readonly scoredFrom: number;
  readonly end: number;
}

/**
 * Windows of at most `length` tokens, `stride` apart, in which every token but the first of the text
 * is predicted once: by the first window that holds it, so with at least `length - stride` tokens
 * before it.
 */
export function planWindows(
  tokens: number,
  length: number,
  stride: number,
): readonly ScoredWindow[] {
  invariant(length >= 2 && stride >= 1 && stride < length, "a window predicts from what precedes");
  const windows: ScoredWindow[] = [];
  let scored = 1;
  for (let start = 0; scored < tokens; start += stride) {
    const end = Math.min(start + length, tokens);
    windows.push({ start, scoredFrom: scored, end });
    scored = end;
  }
  return windows;
}
