/**
 * Index that does not split a surrogate pair: the given one, or the one before; never beyond the
 * end.
 */
export function wholeCharacters(text: string, at: number): number {
  if (at <= 0 || at >= text.length) return Math.min(at, text.length);
  const low = text.charCodeAt(at);
  const high = text.charCodeAt(at - 1);
  const inside = low >= 0xdc00 && low < 0xe000 && high >= 0xd800 && high < 0xdc00;
  return inside ? at - 1 : at;
}
