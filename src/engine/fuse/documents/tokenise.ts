import { invariant } from "../../core/invariant.ts";
import type { TextTokenizer, TokenEncoding } from "../../text/tokenizers/tokenizer.ts";
import type { TokenisedText } from "../align/types.ts";
import type { DocumentPiece } from "../dataset/records.ts";

/** A document tokenised by one model. */
export interface TokenisedDocument {
  readonly tokens: TokenisedText;
  /** 1 for every token that is learned. */
  readonly supervised: Uint8Array<ArrayBuffer>;
  /** Whether the model has no tokens for some of its characters. */
  readonly unread: boolean;
}

/** Tokenises documents with one model's tokenizer. */
export interface DocumentTokenizer {
  tokenise(pieces: readonly DocumentPiece[]): TokenisedDocument;
}

const UTF8 = new TextEncoder();

/** Length of a text in UTF-8 bytes. */
export const utf8Length = (text: string) => UTF8.encode(text).byteLength;

/** Text of a document. */
export const textOf = (pieces: readonly DocumentPiece[]) => pieces.map(({ text }) => text).join("");

/**
 * A reader of documents. With `begins` a document begins with the token that begins a text; where the
 * model has none, and the first piece is to be learned, with the one that ends a text, so that there
 * is something to predict the first token from. It has no bytes of its own.
 */
export function openDocumentTokenizer(
  tokenizer: TextTokenizer,
  { begins }: { readonly begins: boolean },
): DocumentTokenizer {
  const endIds = new Map<string, number | null>();
  /** Id of the token with exactly that text, else of the end-of-text token. */
  const endId = (text: string): number | null => {
    let id = endIds.get(text);
    if (id === undefined) {
      const { ids } = tokenizer.encode(text, { specialTokens: false });
      const own = ids.length === 1 && tokenizer.isSpecial(ids[0]!) ? ids[0]! : null;
      id = own ?? tokenizer.eosId ?? tokenizer.stopIds[0] ?? null;
      endIds.set(text, id);
    }
    return id;
  };
  const encode = (text: string) => tokenizer.encode(text, { specialTokens: false });
  return {
    tokenise(pieces) {
      const writer = new TokenWriter();
      const learned = pieces[0]?.supervised === true;
      const first = tokenizer.bosId ?? (learned ? tokenizer.eosId : null);
      if (begins && first !== null) writer.add(first, 0, false);
      for (const run of runsOf(pieces, endId)) {
        if (!("text" in run)) writer.add(run.end, writer.at + utf8Length(run.of), run.supervised);
        else if (!addWhole(run, writer, encode)) {
          for (const piece of run.pieces) {
            addWhole({ text: piece.text, pieces: [piece] }, writer, encode);
          }
        }
      }
      return writer.finish(utf8Length(textOf(pieces)));
    },
  };
}

/** Neighbouring pieces that are tokenised together, or a token that ends a turn. */
type Run =
  | { readonly text: string; readonly pieces: readonly DocumentPiece[] }
  | { readonly end: number; readonly of: string; readonly supervised: boolean };

function* runsOf(
  pieces: readonly DocumentPiece[],
  endId: (text: string) => number | null,
): Generator<Run> {
  let open: DocumentPiece[] = [];
  const close = function* (): Generator<Run> {
    const text = textOf(open);
    if (text !== "") yield { text, pieces: open };
    open = [];
  };
  for (const piece of pieces) {
    const end = piece.kind === "end" ? endId(piece.text) : null;
    if (end === null) {
      open.push(piece);
      continue;
    }
    yield* close();
    yield { end, of: piece.text, supervised: piece.supervised };
  }
  yield* close();
}

/**
 * Tokenises neighbouring pieces as one text, as the model was trained on; false, with nothing
 * written, where a token would cross a border.
 */
function addWhole(
  run: { readonly text: string; readonly pieces: readonly DocumentPiece[] },
  writer: TokenWriter,
  encode: (text: string) => TokenEncoding,
): boolean {
  const { ids, spans, byteLength, unread } = encode(run.text);
  const borders: number[] = [];
  let border = 0;
  for (const { text } of run.pieces) {
    border += utf8Length(text);
    borders.push(border);
  }
  if (borders.length > 1) {
    const starts = new Set(spans.bytes);
    if (ids.length === 0 || borders.some((at) => !starts.has(at))) return false;
  }
  const { at } = writer;
  let piece = 0;
  for (const [token, id] of ids.entries()) {
    const start = token === 0 ? 0 : spans.bytes[token]!;
    while (piece + 1 < borders.length && borders[piece]! <= start) piece++;
    writer.add(id, at + spans.bytes[token + 1]!, run.pieces[piece]!.supervised);
  }
  if (ids.length === 0) writer.extend(at + byteLength);
  writer.unread ||= unread;
  return true;
}

class TokenWriter {
  readonly #ids: number[] = [];
  readonly #ends: number[] = [];
  readonly #supervised: number[] = [];
  /** Bytes tokenised so far. */
  at = 0;
  unread = false;

  add(id: number, end: number, supervised: boolean): void {
    invariant(end >= this.at, "tokens come in order");
    this.#ids.push(id);
    this.#ends.push(end);
    this.#supervised.push(supervised ? 1 : 0);
    this.at = end;
  }

  /** Assigns text without tokens to the token before it, at the beginning to the one after it. */
  extend(end: number): void {
    if (this.#ends.length > 0) this.#ends[this.#ends.length - 1] = end;
    this.at = end;
  }

  finish(byteLength: number): TokenisedDocument {
    invariant(this.at === byteLength, "tokens stand for all of a document");
    return {
      tokens: { ids: Uint32Array.from(this.#ids), ends: Uint32Array.from(this.#ends) },
      supervised: Uint8Array.from(this.#supervised),
      unread: this.unread,
    };
  }
}
