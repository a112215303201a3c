import { invariant } from "../../core/invariant.ts";
import type { TokenEncoding } from "../tokenizers/tokenizer.ts";
import type { CharRange } from "./chat.ts";

/**
 * Mask of learned tokens: 1 for every token with a character inside the ranges (UTF-16 units,
 * ascending, disjoint). A token across a border counts as inside, so that no part of a range is
 * lost. A token without text, such as an added leading space, counts with the token after it.
 */
export function supervisedTokens(
  encoding: TokenEncoding,
  ranges: readonly CharRange[],
): Uint8Array<ArrayBuffer> {
  const { chars } = encoding.spans;
  const count = encoding.ids.length;
  invariant(chars.length === count + 1, "n tokens have n + 1 boundaries");
  checkRanges(ranges, chars[count]!);
  const mask = new Uint8Array(count);
  let next = 0;
  for (let token = 0; token < count; token++) {
    const [start, end] = [chars[token]!, chars[token + 1]!];
    while (next < ranges.length && ranges[next]!.end <= start) next++;
    const range = ranges[next];
    if (range && start < range.end && Math.max(start + 1, end) > range.start) {
      mask[token] = start === end ? 2 : 1;
    }
  }
  return settleEmpty(mask);
}

/** Tokens without text (2) take the next token's value; at the end they are not learned. */
function settleEmpty(mask: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let after = 0;
  for (let token = mask.length - 1; token >= 0; token--) {
    if (mask[token] === 2) mask[token] = after;
    else after = mask[token]!;
  }
  return mask;
}

function checkRanges(ranges: readonly CharRange[], length: number): void {
  let done = 0;
  for (const { start, end } of ranges) {
    invariant(start >= done && end >= start && end <= length, "ranges are ordered and inside");
    done = end;
  }
}
