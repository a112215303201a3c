import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import type { Vocabulary } from "./types.ts";

/** Vocabulary of a tokenizer. Decoded strings are computed on first use. */
export function openVocabulary(tokenizer: TextTokenizer): Vocabulary {
  const decoded: (string | undefined)[] = [];
  return {
    size: tokenizer.vocabSize,
    marker: tokenizer.spaceMark,
    bosId: tokenizer.bosId,
    eosId: tokenizer.eosId,
    unkId: tokenizer.unkId,
    className: tokenizer.className,
    piece: tokenizer.piece,
    decoded(id) {
      decoded[id] ??= tokenizer.decode([id], { skipSpecial: false });
      return decoded[id];
    },
    bytes: tokenizer.tokenBytes,
    idOf: tokenizer.idOf,
  };
}

/**
 * Whether both vocabularies have the same string for every id; roles of control tokens may differ.
 */
export function sameVocabulary(one: Vocabulary, other: Vocabulary): boolean {
  if (one === other) return true;
  if (one.size !== other.size || one.marker !== other.marker) return false;
  for (let id = 0; id < one.size; id++) {
    if (one.piece(id) !== other.piece(id)) return false;
  }
  return true;
}

/** A string with its spaces spelled as in another vocabulary. */
export function remark(text: string, from: Vocabulary, to: Vocabulary): string {
  return from.marker === to.marker ? text : text.replaceAll(from.marker || " ", to.marker || " ");
}

/** A string without its vocabulary's space marker. */
export function unmark(text: string, vocabulary: Vocabulary): string {
  return vocabulary.marker === "" ? text : text.replaceAll(vocabulary.marker, "");
}
