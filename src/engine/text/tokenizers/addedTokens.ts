import { refuseTokenizer } from "../patterns/pattern.ts";
import type { AlignedText } from "./aligned.ts";

/** An added token, which is matched in the text before any other step. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it is a control token such as `</s>`, which decoding can skip. */
  readonly special: boolean;
  /** Matches only where no letter or digit is next to it. */
  readonly singleWord: boolean;
  /** Absorbs white space before (`lstrip`) or after it (`rstrip`). */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Whether it is matched in the normalized text. */
  readonly normalized: boolean;
}

/** A section of a text: an added token, or the text between two. */
export interface Section {
  readonly start: number;
  readonly end: number;
  readonly token: AddedToken | null;
}

/** Finds added tokens: the leftmost, of several the longest. */
export type TokenFinder = (text: string) => readonly Section[];

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
const SPACE = /\p{White_Space}/u;

/** A trie node: the letters that can follow, and the token that ends here. */
interface TrieNode {
  readonly next: Map<number, TrieNode>;
  token: AddedToken | null;
}

/** Largest number of trie steps per unit of text; real tokenizers take fewer than two. */
const MOST_STEPS_PER_UNIT = 64;
const MOST_STEPS = 1 << 20;

const newNode = (): TrieNode => ({ next: new Map(), token: null });

function buildTrie(tokens: ReadonlyMap<string, AddedToken>): TrieNode {
  const root = newNode();
  for (const [written, token] of tokens) {
    let node = root;
    for (let i = 0; i < written.length; i++) {
      const unit = written.charCodeAt(i);
      let next = node.next.get(unit);
      if (!next) {
        next = newNode();
        node.next.set(unit, next);
      }
      node = next;
    }
    node.token = token;
  }
  return root;
}

/** Finder of tokens by their spelling in the text. */
function compileFinder(tokens: ReadonlyMap<string, AddedToken>): TokenFinder {
  if (tokens.size === 0) return (text) => [{ start: 0, end: text.length, token: null }];
  const root = buildTrie(tokens);
  root.token = null; // an empty text is no token
  return (text) => {
    const sections: Section[] = [];
    const most = MOST_STEPS + MOST_STEPS_PER_UNIT * text.length;
    let steps = 0;
    let done = 0;
    let spaceEnd = 0;
    for (let at = 0; at < text.length; ) {
      let node = root.next.get(text.charCodeAt(at));
      if (!node) {
        at++;
        continue;
      }
      let token: AddedToken | null = null;
      let end = at;
      for (let to = at + 1; node; to++) {
        if (node.token) [token, end] = [node.token, to];
        node = node.next.get(text.charCodeAt(to));
        steps++;
      }
      if (steps > most) refuseTokenizer("its added tokens take too long to find in this text");
      if (!token) {
        at++;
        continue;
      }
      if (!token.singleWord || standsAlone(text, at, end)) {
        const from = token.lstrip ? skipBack(text, at, done) : Math.max(done, at);
        // White space is skipped once, however many tokens are in it.
        if (token.rstrip && end > spaceEnd) spaceEnd = skipOn(text, end);
        const to = Math.max(from, token.rstrip ? spaceEnd : end);
        if (from > done) sections.push({ start: done, end: from, token: null });
        sections.push({ start: from, end: to, token });
        done = to;
      }
      at = end;
    }
    if (done < text.length) sections.push({ start: done, end: text.length, token: null });
    return sections;
  };
}

/** Spelling of an added token in the text that it is matched in. */
export function writtenForm(
  token: AddedToken,
  normalize: (text: AlignedText) => AlignedText,
): string {
  if (!token.normalized) return token.content;
  return normalize({ text: token.content, origin: new Uint32Array(token.content.length + 1) }).text;
}

/** Finders of a tokenizer: before and after normalization. */
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

function skipBack(text: string, from: number, least: number): number {
  let at = Math.max(from, least);
  while (at > least && SPACE.test(text[at - 1]!)) at--;
  return at;
}

function skipOn(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACE.test(text[at]!)) at++;
  return at;
}
