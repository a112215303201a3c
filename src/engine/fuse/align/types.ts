import type { AlignmentReason } from "../../contract/index.ts";

/** A model's vocabulary as alignment sees it: ids, the strings on file, and what they stand for. */
export interface Vocabulary {
  /** One more than the highest id. */
  readonly size: number;
  /** How a leading space is written on file: sentencepiece, byte-level, or not at all. */
  readonly marker: "▁" | "Ġ" | "";
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly unkId: number | null;
  /** The class that its files name, without "Fast", such as GPT2Tokenizer; null: none. */
  readonly className: string | null;
  /** The string on file, markers and byte letters included; "" where there is no such id. */
  piece(id: number): string;
  /** What the tokenizer's own `decode([id])` gives. */
  decoded(id: number): string;
  /** The bytes of text that the token stands for. */
  bytes(id: number): Uint8Array;
  idOf(piece: string): number | undefined;
}

/** What a source's tokens are in the pivot's vocabulary: how rows are carried over. */
export interface VocabularyMap {
  /** The pivot's id that stands for a source's token, equal strings included; null: it is left out. */
  target(sourceId: number): number | null;
  /** How often the two stood side by side where they were counted; 0 where nothing was counted. */
  count(pivotId: number, sourceId: number): number;
}

/** One text as one model reads it. Token t stands for the bytes [ends[t - 1], ends[t]). */
export interface TokenisedText {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** UTF-8 bytes of the text up to the end of each token. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Rows of few entries: those of row r are [offsets[r], offsets[r + 1]), the largest value first. */
export interface SparseRows {
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}

/** What a source said: row `rowOf[t]` of `rows` predicts the token after position t; -1: not kept. */
export interface SourceRows {
  readonly rows: SparseRows;
  readonly rowOf: Int32Array<ArrayBuffer>;
}

/**
 * Source positions grouped with each pivot position: those of position i are [offsets[i],
 * offsets[i + 1]), in order and never none. Neighbours may share one.
 */
export interface Groups {
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly positions: Uint32Array<ArrayBuffer>;
}

/** A source beside a pivot. Every list has one entry a pivot position. */
export interface Alignment {
  readonly groups: Groups;
  readonly reasons: readonly AlignmentReason[];
  /** The source position whose row stands here; -1 where none does. */
  readonly from: Int32Array<ArrayBuffer>;
  /** Logits over the pivot's ids; a fall-back to the pivot's own row is an empty row. */
  readonly rows: SparseRows;
}

/** Brings a source's rows into a pivot's vocabulary and positions, document by document. */
export interface Aligner {
  /** `groups`: how a profile that warps has grouped these texts already. */
  align(pivot: TokenisedText, source: TokenisedText, said: SourceRows, groups?: Groups): Alignment;
}
