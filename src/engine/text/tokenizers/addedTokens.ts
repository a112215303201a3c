import { refuseTokenizer } from "../patterns/pattern.ts";
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

/** A letter in a tree of tokens: what can follow it, and the token that it ends. */
interface TrieNode {
  readonly next: Map<number, TrieNode>;
  token: AddedToken | null;
}

/** Steps in the tree for each unit of a text; real tokenizers take less than two. */
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

/** A finder for tokens by how each is written in the text it will see. */
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
        // White space is passed once, however many tokens lie in it.
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
