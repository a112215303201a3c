import type { AlignedToken } from "../../contract/index.ts";
import type { TokenisedText } from "../align/types.ts";

/**
 * Where each byte end lies in UTF-16 units of the text. An end within a character lies at its start:
 * the character belongs to the token that completes it.
 */
export function unitEnds(text: string, ends: Uint32Array): Uint32Array {
  const units = new Uint32Array(ends.length);
  let unit = 0;
  let byte = 0;
  for (let i = 0; i < ends.length; i++) {
    while (unit < text.length) {
      const point = text.codePointAt(unit) as number;
      const bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (byte + bytes > ends[i]!) break;
      byte += bytes;
      unit += point < 0x10000 ? 1 : 2;
    }
    units[i] = unit;
  }
  return units;
}

/** Tokens with their text; `nameOf` names those that are no whole character. */
export function alignedTokens(
  text: string,
  { ids, ends }: TokenisedText,
  nameOf: (id: number) => string,
): AlignedToken[] {
  const units = unitEnds(text, ends);
  return Array.from(ids, (id, i) => {
    const [start, end] = [i > 0 ? (units[i - 1] as number) : 0, units[i] as number];
    return { id, text: start < end ? text.slice(start, end) : nameOf(id), start, end };
  });
}
