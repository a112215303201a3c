import { invariant } from "../../core/invariant.ts";

/** A window of a text; the tokens [scoredFrom, end) are scored in it. */
export interface ScoredWindow {
  readonly start: number;
  readonly scoredFrom: number;
  readonly end: number;
}

/**
 * Windows of at most `length` tokens, `stride` apart, that score every token but the text's first
 * once: in the first window that contains it, so with at least `length - stride` tokens of context.
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
