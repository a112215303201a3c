import type { FileTree } from "../../core/bytes.ts";
import { compileFinders, writtenForm } from "./addedTokens.ts";
import { type AlignedText, alignOriginal, isVerbatim, sliceAligned } from "./aligned.ts";
import { compileBpe, type PieceModel } from "./bpe.ts";
import { bytesToLetters } from "./byteLetters.ts";
import { compileDecoder, openTextStream, type SpaceMark, type TextStream } from "./decoder.ts";
import { compileNormalizer, type Normalizer } from "./normalizer.ts";
import { compileSurroundings } from "./postProcessor.ts";
import { compilePreTokenizer } from "./preTokenizer.ts";
import { SpanWriter, type TokenSpans } from "./spans.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizerFiles.ts";

/** A tokenised text. */
export interface TokenEncoding {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly spans: TokenSpans;
  /** UTF-8 bytes of the text. */
  readonly byteLength: number;
  /** Whether an unknown token, or none, stands for some of the text. */
  readonly unread: boolean;
}

/** Tokenizer of a checkpoint. */
export interface TextTokenizer {
  /** One more than the highest id; the model's embedding may have more rows. */
  readonly vocabSize: number;
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly padId: number | null;
  readonly unkId: number | null;
  /** Class in tokenizer_config.json, without "Fast"; null: none. */
  readonly className: string | null;
  /** Spelling of a space in its vocabulary. */
  readonly spaceMark: SpaceMark;
  /** Ids that end a generated text. */
  readonly stopIds: readonly number[];
  /** Texts of the added tokens, control tokens among them. */
  readonly addedTokens: readonly string[];
  /** Tokenises a text. `specialTokens`: with the tokens around it, such as `<s>`. */
  encode(text: string, options: { readonly specialTokens: boolean }): TokenEncoding;
  /** Text of tokens. `skipSpecial` leaves control tokens out. Invalid UTF-8 becomes U+FFFD. */
  decode(ids: Iterable<number>, options: DecodeOptions): string;
  /** Decodes token by token, in whole characters. */
  openStream(options: DecodeOptions): TextStream;
  /** Bytes of a token; empty for an unused id. */
  tokenBytes(id: number): Uint8Array;
  /** String of a token in the files, markers and byte letters included; empty for an unused id. */
  piece(id: number): string;
  /** Id of a string in the files. */
  idOf(piece: string): number | undefined;
  isSpecial(id: number): boolean;
}

export interface DecodeOptions {
  readonly skipSpecial: boolean;
  /** The text continues another one: its first space is kept. */
  readonly continues?: boolean;
}

/**
 * Tokenizer of a checkpoint: tokenizer.json, else vocab.json with merges.txt. Null where it has
 * neither; `bad-config` for one that cannot be reproduced exactly, such as any model but BPE. Takes
 * up to a second for a vocabulary of 150,000 tokens.
 */
export async function openTokenizer(files: FileTree): Promise<TextTokenizer | null> {
  const read = await readTokenizerFiles(files);
  return read && createTokenizer(read);
}

function createTokenizer(files: TokenizerFiles): TextTokenizer {
  const { tokenizer, added } = files;
  const model = compileBpe(tokenizer.model);
  const special = new Set(added.filter((token) => token.special).map(({ id }) => id));
  const addedIds = new Map(added.map(({ content, id }) => [content, id]));
  const find = (piece: string) => addedIds.get(piece) ?? model.vocab.get(piece);
  const idOf = (token: string | null) => (token === null ? null : (find(token) ?? null));
  const contents = new Map(added.map(({ content, id }) => [id, content]));
  const className = files.config.tokenizer_class;
  const normalize = compileNormalizer(tokenizer.normalizer);
  const written = new Map(added.map((token) => [token.id, writtenForm(token, normalize)]));
  const tokens = compileDecoder(tokenizer.decoder, model.vocab, written);
  const around = compileSurroundings(tokenizer.post_processor);
  const write = compileWriter(files, model, normalize);
  const ownOr = (token: string | null, role: "bos_token" | "eos_token", ids: readonly number[]) =>
    idOf(token) ?? (files.names(role) ? null : (ids[0] ?? null));
  const eosId = ownOr(files.eos, "eos_token", files.stopIds);
  const stopIds = [...new Set([...files.stopIds, ...(eosId === null ? [] : [eosId])])];
  const openStream = ({ skipSpecial, continues = false }: DecodeOptions) =>
    openTextStream(tokens, { skip: (id) => skipSpecial && special.has(id), continues });
  let highest = -1;
  for (const id of [...model.vocab.values(), ...addedIds.values()]) highest = Math.max(highest, id);

  return {
    vocabSize: highest + 1,
    bosId: ownOr(files.bos, "bos_token", files.startIds),
    eosId,
    padId: idOf(files.pad),
    unkId: idOf(files.unk) ?? model.unkId,
    className: typeof className === "string" ? className.replace(/Fast$/, "") : null,
    spaceMark: tokens.spaceMark,
    stopIds,
    addedTokens: added.map(({ content }) => content),
    encode(text, { specialTokens }) {
      // A lone surrogate has no UTF-8; U+FFFD replaces it, unit for unit.
      const original = text.toWellFormed();
      const spans = new SpanWriter(original);
      const ids: number[] = [];
      const surround = (extra: readonly number[], at: "start" | "end") => {
        for (const id of specialTokens ? extra : []) {
          ids.push(id);
          spans.addEmpty(at);
        }
      };
      surround(around.before, "start");
      let unread = false;
      write(original, (id, char, byteIndex, isUnread = false) => {
        unread ||= isUnread;
        if (id === null) return;
        ids.push(id);
        spans.add(char, byteIndex);
      });
      surround(around.after, "end");
      const boundaries = spans.finish();
      const byteLength = boundaries.bytes[ids.length]!;
      return { ids: Uint32Array.from(ids), spans: boundaries, byteLength, unread };
    },
    decode(ids, options) {
      const stream = openStream(options);
      let text = "";
      for (const id of ids) text += stream.push(id);
      return text + stream.end();
    },
    openStream,
    tokenBytes: (id) => tokens.bytesOf(id),
    piece: (id) => contents.get(id) ?? tokens.pieceOf(id) ?? "",
    idOf: find,
    isSpecial: (id) => special.has(id),
  };
}

/**
 * Called for each token with its starting unit in the original, the byte within the character, and
 * whether it is unknown; null where there is no token.
 */
type Emit = (id: number | null, char: number, byteIndex: number, unread?: boolean) => void;

/** Encoder: added tokens, normalizer, added tokens, pre-tokenizer, merges. */
function compileWriter(
  { tokenizer, added }: TokenizerFiles,
  model: PieceModel,
  normalize: Normalizer,
): (original: string, emit: Emit) => void {
  const preTokenizer = compilePreTokenizer(tokenizer.pre_tokenizer);
  const finders = compileFinders(added, normalize);
  const writePiece = preTokenizer.byteLevel ? writeLetters : writeCharacters;
  return (original, emit) => {
    for (const section of finders.raw(original)) {
      if (section.token) {
        emit(section.token.id, section.start, 0);
        continue;
      }
      const text = normalize(alignOriginal(original, section.start, section.end));
      const pieces: AlignedText[] = [];
      const flush = () => {
        const cut = pieces.splice(0);
        for (const piece of preTokenizer.cut(cut)) writePiece(piece, model, original, emit);
      };
      for (const inner of finders.normalized(text.text)) {
        const piece = sliceAligned(text, inner.start, inner.end);
        if (!inner.token) {
          if (piece.text !== "") pieces.push(piece);
          continue;
        }
        flush();
        emit(inner.token.id, piece.origin[0]!, 0);
      }
      flush();
    }
  };
}

/** Pieces of characters: units of tokens are units of the piece. */
function writeCharacters(piece: AlignedText, model: PieceModel, original: string, emit: Emit) {
  let unit = 0;
  for (const token of model.tokenize(piece.text)) {
    const length = codePointLength(piece.text, unit);
    const inside = token.byteIndex > 0 && isVerbatim(piece, unit, length, original);
    emit(token.id, piece.origin[unit]!, inside ? token.byteIndex : 0, token.unread);
    unit += token.units;
  }
}

/** Pieces of bytes as letters: units of tokens are bytes of the piece. */
function writeLetters(piece: AlignedText, model: PieceModel, original: string, emit: Emit) {
  let unit = 0;
  let unitByte = 0;
  let byte = 0;
  for (const token of model.tokenize(bytesToLetters(piece.text))) {
    while (unit < piece.text.length && unitByte + utf8Bytes(piece.text, unit) <= byte) {
      unitByte += utf8Bytes(piece.text, unit);
      unit += codePointLength(piece.text, unit);
    }
    const length = codePointLength(piece.text, unit);
    const inside = byte > unitByte && isVerbatim(piece, unit, length, original);
    emit(token.id, piece.origin[unit]!, inside ? byte - unitByte : 0, token.unread);
    byte += token.units;
  }
}

function codePointLength(text: string, at: number): number {
  const point = text.codePointAt(at);
  return point === undefined ? 0 : point > 0xffff ? 2 : 1;
}

function utf8Bytes(text: string, at: number): number {
  const point = text.codePointAt(at) ?? 0;
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}
