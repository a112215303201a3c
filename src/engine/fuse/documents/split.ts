import { wholeCharacters } from "../../text/tokenizers/wholeCharacters.ts";
import type { DocumentPiece } from "../dataset/records.ts";
import type { DocumentTokenizer } from "./tokenise.ts";

/** Parts of a document, each short enough for every model; joined they are the document. */
export interface SplitDocument {
  readonly parts: readonly (readonly DocumentPiece[])[];
  /** Number of turns, or texts, that had to be cut. */
  readonly cut: number;
  /** Number of characters longer than a part in some tokenizer, which cannot be cut. */
  readonly unsplittable: number;
}

type Pieces = readonly DocumentPiece[];

/** Initial estimate of characters per token; a window that was too short grows. */
const CHARS_PER_TOKEN = 6;
/**
 * Largest number of characters per token: longer text is not counted, as no real one has so few
 * tokens.
 */
const MOST_CHARS_PER_TOKEN = 64;

/**
 * Cuts documents so that no part is longer than `limit` tokens in any of the tokenizers: between
 * exchanges, else between turns, else inside a turn, at white space where tokens of all models end,
 * else at white space, else between characters.
 */
export class Splitter {
  readonly #tokenizers: readonly DocumentTokenizer[];
  readonly #limit: number;

  constructor(tokenizers: readonly DocumentTokenizer[], limit: number) {
    this.#tokenizers = tokenizers;
    this.#limit = limit;
  }

  fits(pieces: Pieces, limit = this.#limit): boolean {
    return !this.#huge(pieces) && this.#counts(pieces).every((count) => count <= limit);
  }

  #huge(pieces: Pieces): boolean {
    const chars = pieces.reduce((sum, { text }) => sum + text.length, 0);
    return chars > MOST_CHARS_PER_TOKEN * this.#limit;
  }

  /** Number of tokens in each model. */
  #counts(pieces: Pieces): readonly number[] {
    return this.#tokenizers.map((tokenizer) => tokenizer.tokenise(pieces).tokens.ids.length);
  }

  /** Splits a document. `breathe` is awaited repeatedly: a text of megabytes takes minutes. */
  async split(pieces: Pieces, breathe: () => Promise<void>): Promise<SplitDocument> {
    const counts = { cut: 0, unsplittable: 0 };
    const cutTurn = (turn: Pieces) => this.#cutTurn(turn, counts, breathe);
    const cutExchange = (exchange: Pieces) => this.#pack(turnsOf(exchange), cutTurn, breathe);
    const parts = this.fits(pieces)
      ? [pieces]
      : await this.#pack(exchangesOf(pieces), cutExchange, breathe);
    return { parts, ...counts };
  }

  /** Packs as many neighbours into a part as fit; items that do not fit alone are split. */
  async #pack(
    groups: readonly Pieces[],
    takeApart: (group: Pieces) => readonly Pieces[] | Promise<readonly Pieces[]>,
    breathe: () => Promise<void>,
  ): Promise<Pieces[]> {
    const parts: Pieces[] = [];
    const begun = this.#counts([]);
    let open: Pieces[] = [];
    let sums = begun;
    const close = () => {
      const whole = open.flat();
      // The sum is exact for whole turns and nearly so for other pieces.
      const together = open.length < 2 || this.fits(whole);
      if (!together) for (const group of open) parts.push(group);
      else if (open.length > 0) parts.push(whole);
      open = [];
      sums = begun;
    };
    for (const group of groups) {
      await breathe();
      const counts = this.#huge(group)
        ? null
        : this.#counts(group).map((count, i) => count - begun[i]!);
      if (!counts?.every((count, i) => count + begun[i]! <= this.#limit)) {
        close();
        for (const part of await takeApart(group)) parts.push(part);
        continue;
      }
      if (counts.some((count, i) => count + sums[i]! > this.#limit)) close();
      open.push(group);
      sums = sums.map((sum, i) => sum + counts[i]!);
    }
    close();
    return parts;
  }

  async #cutTurn(
    turn: Pieces,
    counts: { cut: number; unsplittable: number },
    breathe: () => Promise<void>,
  ): Promise<readonly Pieces[]> {
    counts.cut += 1;
    // Room for the token that ends the turn, which must not be left alone.
    const room = turn.some(({ kind }) => kind === "end") ? this.#limit - 1 : this.#limit;
    const small: Pieces[] = [];
    for (const piece of turn) {
      if (this.fits([piece], room)) small.push([piece]);
      else {
        const texts = await this.#cutText(piece.text, room, breathe);
        for (const text of texts) small.push([{ ...piece, kind: "text" as const, text }]);
      }
    }
    const keepWhole = (piece: Pieces) => {
      counts.unsplittable += 1;
      return [piece];
    };
    return this.#pack(small, keepWhole, breathe);
  }

  async #cutText(
    text: string,
    limit: number,
    breathe: () => Promise<void>,
  ): Promise<readonly string[]> {
    const parts: string[] = [];
    let window = CHARS_PER_TOKEN * limit;
    for (let at = 0; at < text.length; ) {
      await breathe();
      const ahead = text.slice(at, wholeCharacters(text, at + window));
      const length = this.#firstPart(ahead, limit);
      if (length === ahead.length && at + length < text.length) {
        window *= 2; // more may fit
        continue;
      }
      parts.push(ahead.slice(0, length));
      at += length;
      window = length + (length >> 2) + 16; // the next is like this one
    }
    return parts;
  }

  /**
   * Length of a text's first part in UTF-16 units: at least one character, even where it does not
   * fit.
   */
  #firstPart(text: string, most: number): number {
    const read = this.#tokenizers.map((each) => each.tokenise([piece(text)]).tokens);
    if (read.every(({ ids }) => ids.length <= most)) return text.length;
    const ends = read.map((tokens) => tokenEnds(text, tokens.ends));
    // One token less: text next to a cut is tokenised a little differently.
    const room = Math.max(1, most - 1);
    let limit = Math.min(...ends.map((each) => each[Math.min(room, each.length) - 1] ?? 1));
    const sets = ends.map((each) => new Set(each));
    for (;;) {
      const cut = chooseCut(text, limit, sets);
      if (cut <= firstCharacter(text) || this.fits([piece(text.slice(0, cut))], most)) return cut;
      limit = cut - 1 - (cut >> 5);
    }
  }
}

const piece = (text: string): DocumentPiece => ({ kind: "text", text, supervised: true });

/** Best place to cut at or before `limit`, in the second half of the text where there is one. */
function chooseCut(text: string, limit: number, ends: readonly ReadonlySet<number>[]): number {
  const shared = (at: number) => ends.every((each) => each.has(at));
  const word = (at: number) => /\s/.test(text[at] ?? "") && !/\s/.test(text[at - 1] ?? " ");
  const find = (good: (at: number) => boolean) => {
    for (let at = limit; at > limit >> 1; at--) {
      if (wholeCharacters(text, at) === at && good(at)) return at;
    }
    return null;
  };
  return (
    find((at) => word(at) && shared(at)) ??
    find(word) ??
    find(shared) ??
    Math.max(wholeCharacters(text, limit), firstCharacter(text))
  );
}

const firstCharacter = (text: string) => ((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);

/** Ends of tokens in UTF-16 units; a token that ends inside a character ends before it. */
function tokenEnds(text: string, bytes: Uint32Array): readonly number[] {
  const ends: number[] = [];
  let [at, byte] = [0, 0];
  for (const end of bytes) {
    for (;;) {
      const point = text.codePointAt(at);
      if (point === undefined) break;
      const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (byte + size > end) break;
      byte += size;
      at += point > 0xffff ? 2 : 1;
    }
    ends.push(at);
  }
  return ends;
}

/** Exchanges of a chat: a new one begins where text that is not learned follows text that is. */
function exchangesOf(pieces: Pieces): readonly Pieces[] {
  return grouped(
    pieces,
    (before, next) => before.kind === "end" && before.supervised && !next.supervised,
  );
}

function turnsOf(pieces: Pieces): readonly Pieces[] {
  return grouped(pieces, (before) => before.kind === "end");
}

function grouped(
  pieces: Pieces,
  divides: (before: DocumentPiece, next: DocumentPiece) => boolean,
): readonly Pieces[] {
  const groups: DocumentPiece[][] = [];
  for (const [i, each] of pieces.entries()) {
    const before = pieces[i - 1];
    if (!before || divides(before, each)) groups.push([each]);
    else groups.at(-1)!.push(each);
  }
  return groups;
}
