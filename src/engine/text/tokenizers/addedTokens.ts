import type { AlignedText } from "./aligned.ts";

/** A token that is found in the text before anything else happens to it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Control tokens such as `</s>`: left out when text is decoded for people. */
  readonly special: boolean;
  /** Only where no letter or digit touches it. */
  readonly singleWord: boolean;
  /** Takes the white space before (`lstrip`) or after it (`rstrip`) along. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text. */
  readonly normalized: boolean;
}

/** A stretch of a text: an added token, or what lies between two. */
export interface Section {
  readonly start: number;
  readonly end: number;
  readonly token: AddedToken | null;
}

/** Finds added tokens: the leftmost, and of those the longest. */
export type TokenFinder = (text: string) => readonly Section[];

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
const SPACE = /\p{White_Space}/u;

/** A finder for tokens by how each is written in the text it will see. */
function compileFinder(tokens: ReadonlyMap<string, AddedToken>): TokenFinder {
  if (tokens.size === 0) return (text) => [{ start: 0, end: text.length, token: null }];
  const byFirst = new Map<string, [string, AddedToken][]>();
  for (const [written, token] of tokens) {
    const first = written[0];
    if (first === undefined) continue;
    const list = byFirst.get(first) ?? [];
    list.push([written, token]);
    byFirst.set(first, list);
  }
  for (const list of byFirst.values()) list.sort((a, b) => b[0].length - a[0].length);
  return (text) => {
    const sections: Section[] = [];
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const found = byFirst.get(text[at]!)?.find(([written]) => text.startsWith(written, at));
      if (!found) {
        at++;
        continue;
      }
      const [written, token] = found;
      const end = at + written.length;
      if (!token.singleWord || standsAlone(text, at, end)) {
        const from = token.lstrip ? Math.max(done, skipBack(text, at)) : Math.max(done, at);
        const to = token.rstrip ? skipOn(text, end) : end;
        if (from > done) sections.push({ start: done, end: from, token: null });
        sections.push({ start: from, end: Math.max(from, to), token });
        done = Math.max(from, to);
      }
      at = end;
    }
    if (done < text.length) sections.push({ start: done, end: text.length, token: null });
    return sections;
  };
}

/** How an added token is written in the text that it is looked for in. */
export function writtenForm(
  token: AddedToken,
  normalize: (text: AlignedText) => AlignedText,
): string {
  if (!token.normalized) return token.content;
  return normalize({ text: token.content, origin: new Uint32Array(token.content.length + 1) }).text;
}

/** The two finders of a tokenizer: before and after the text is normalized. */
export function compileFinders(
  tokens: readonly AddedToken[],
  normalize: (text: AlignedText) => AlignedText,
): { readonly raw: TokenFinder; readonly normalized: TokenFinder } {
  const find = (normalized: boolean) =>
    compileFinder(
      new Map(
        tokens
          .filter((token) => token.normalized === normalized)
          .map((token) => [writtenForm(token, normalize), token]),
      ),
    );
  return { raw: find(false), normalized: find(true) };
}

function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) &&
    !WORD_AFTER.test(text.slice(end, end + 2))
  );
}

function skipBack(text: string, from: number): number {
  let at = from;
  while (at > 0 && SPACE.test(text[at - 1]!)) at--;
  return at;
}

function skipOn(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACE.test(text[at]!)) at++;
  return at;
}
