import { BPE } from "@huggingface/tokenizers";
import { invariant } from "../../core/invariant.ts";
import { clip, isObject } from "../../core/json.ts";
import { refuseTokenizer } from "../patterns/pattern.ts";

/** A token of a piece. */
export interface PieceToken {
  /** Null for letters that the vocabulary lacks, bytes included: they get no token. */
  readonly id: number | null;
  /** Units of the piece; of the tokens that spell a character's bytes the last one has them all. */
  readonly units: number;
  /** Index of the byte within its character that this token spells; 0 for other tokens. */
  readonly byteIndex: number;
  /** Set for tokens in place of letters that the vocabulary lacks. */
  readonly unread?: true;
}

/** BPE model: tokens of a piece of text. */
export interface PieceModel {
  readonly vocab: ReadonlyMap<string, number>;
  /** Token for letters that the vocabulary lacks. */
  readonly unkId: number | null;
  /** Tokens of a piece, whose units add up to it. */
  tokenize(piece: string): readonly PieceToken[];
}

/** Largest token id, above any model's: larger ones would make huge sparse arrays. */
const MAX_TOKEN_ID = 1 << 22;
const MAX_MERGES = 1 << 22;
const UTF8 = new TextEncoder();

/** Model of a tokenizer.json; `bad-config` for all but BPE and for unsupported options. */
export function compileBpe(model: unknown): PieceModel {
  const { vocab, merges, fields } = checkModel(model);
  const bpe = new BPE({
    type: "BPE",
    vocab,
    merges,
    ignore_merges: fields.ignore_merges === true,
  });
  const ids: ReadonlyMap<string, number> = bpe.tokens_to_ids;
  const joins = new Set<string>();
  for (const [left, right] of merges) {
    if (!ids.has(left) || !ids.has(right) || !ids.has(left + right)) {
      refuseTokenizer(`the merge of ${clip(left)} and ${clip(right)} is not in the vocabulary`);
    }
    joins.add(lastLetter(left) + firstLetter(right));
  }
  const unknown = typeof fields.unk_token === "string" ? (ids.get(fields.unk_token) ?? null) : null;
  const fallback = fields.byte_fallback === true ? byteIds(ids) : null;
  const whole = fields.ignore_merges === true;

  const merge = (piece: string): readonly PieceToken[] => {
    const known = whole ? ids.get(piece) : undefined;
    if (known !== undefined) return [{ id: known, units: piece.length, byteIndex: 0 }];
    const tokens: PieceToken[] = [];
    let unknownBefore = false;
    for (const part of cutApart(piece, joins).flatMap((stretch) => bpe.bpe(stretch))) {
      const id = ids.get(part);
      const bytes = id === undefined && fallback ? spell(part, fallback) : null;
      if (id !== undefined) tokens.push({ id, units: part.length, byteIndex: 0 });
      else if (bytes) {
        for (const [byteIndex, byteId] of bytes.entries()) {
          const last = byteIndex === bytes.length - 1;
          tokens.push({ id: byteId, units: last ? part.length : 0, byteIndex });
        }
      } else if (unknown !== null) {
        const last = fields.fuse_unk === true && unknownBefore ? tokens.pop() : undefined;
        const units = part.length + (last?.units ?? 0);
        tokens.push({ id: unknown, units, byteIndex: 0, unread: true });
      }
      unknownBefore = id === undefined && bytes === null;
    }
    return tokens;
  };
  // Without an unknown token, unknown letters are removed before merging.
  const drops = (letter: string) =>
    unknown === null && !ids.has(letter) && !(fallback && spell(letter, fallback));
  return {
    vocab: ids,
    unkId: unknown,
    tokenize(piece) {
      const tokens = mergeWithout(piece, drops, merge);
      const units = tokens.reduce((sum, token) => sum + token.units, 0);
      invariant(units === piece.length, "tokens cover their piece");
      return tokens;
    },
  };
}

/** Merges a piece without some letters, whose units go to the token before. */
function mergeWithout(
  piece: string,
  drops: (letter: string) => boolean,
  merge: (piece: string) => readonly PieceToken[],
): readonly PieceToken[] {
  const kept: string[] = [];
  const places: number[] = [];
  let at = 0;
  for (const letter of piece) {
    if (!drops(letter)) {
      kept.push(letter);
      for (let i = 0; i < letter.length; i++) places.push(at + i);
    }
    at += letter.length;
  }
  if (places.length === piece.length) return merge(piece);
  places.push(piece.length);
  const tokens: PieceToken[] = [{ id: null, units: places[0]!, byteIndex: 0, unread: true }];
  let unit = 0;
  for (const token of merge(kept.join(""))) {
    const units = places[unit + token.units]! - places[unit]!;
    tokens.push({ ...token, units });
    unit += token.units;
  }
  return tokens;
}

/**
 * Cuts a piece between letters that no merge joins, so that each side can be merged alone.
 * Otherwise a text of one piece, as SentencePiece vocabularies have it, would go through one long
 * queue, past the cache.
 */
function cutApart(piece: string, joins: ReadonlySet<string>): readonly string[] {
  const stretches: string[] = [];
  let start = 0;
  let at = 0;
  let before = "";
  for (const letter of piece) {
    if (before !== "" && !joins.has(before + letter)) {
      stretches.push(piece.slice(start, at));
      start = at;
    }
    before = letter;
    at += letter.length;
  }
  if (start < piece.length) stretches.push(piece.slice(start));
  return stretches;
}

function spell(part: string, fallback: readonly (number | undefined)[]): readonly number[] | null {
  const ids = [...UTF8.encode(part)].map((byte) => fallback[byte]);
  return ids.every((id) => id !== undefined) ? ids : null;
}

function byteIds(ids: ReadonlyMap<string, number>): readonly (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
}

function firstLetter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0);
}

function lastLetter(text: string): string {
  return [...text.slice(-2)].at(-1) ?? "";
}

function checkModel(model: unknown) {
  if (!isObject(model)) return refuseTokenizer("it has no model");
  // Files from before 2023 have no type; only BPE has both a vocabulary and merges.
  if ((model.type ?? "BPE") !== "BPE") {
    return refuseTokenizer(
      `its model is ${clip(String(model.type))}; byte-pair encoding (BPE) is the one that is supported`,
    );
  }
  for (const option of ["continuing_subword_prefix", "end_of_word_suffix", "dropout"]) {
    if (model[option]) refuseTokenizer(`its model sets ${option}, which is not supported`);
  }
  if (!isObject(model.vocab)) return refuseTokenizer("its model has no vocabulary");
  for (const [token, id] of Object.entries(model.vocab)) {
    if (!isTokenId(id)) refuseTokenizer(`the token ${clip(token)} has no usable id`);
  }
  const { merges } = model;
  if (!Array.isArray(merges) || merges.length > MAX_MERGES) {
    return refuseTokenizer("its model has no list of merges, or far too long a one");
  }
  return {
    fields: model,
    vocab: model.vocab as Record<string, number>,
    merges: merges.map(readMerge),
  };
}

/** Whether a value is a legal token id. */
export function isTokenId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < MAX_TOKEN_ID;
}

function readMerge(merge: unknown): [string, string] {
  const parts: readonly unknown[] =
    typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  const [left, right] = parts;
  if (parts.length === 2 && typeof left === "string" && typeof right === "string") {
    if (left !== "" && right !== "") return [left, right];
  }
  return refuseTokenizer(`${clip(JSON.stringify(merge))} is not a merge of two tokens`);
}
