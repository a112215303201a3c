import type { AlignmentReason } from "../../contract/index.ts";

/** A model's vocabulary as alignment needs it: ids with their strings and texts. */
export interface Vocabulary {
  /** One more than the highest id. */
  readonly size: number;
  /** Marker of a leading space in the strings: sentencepiece, byte-level, or none. */
  readonly marker: "▁" | "Ġ" | "";
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly unkId: number | null;
  /** Tokenizer class in the model's files, without "Fast", such as GPT2Tokenizer; null: none. */
  readonly className: string | null;
  /** String of an id in the tokenizer's files, with markers and byte letters; "" for unused ids. */
  piece(id: number): string;
  /** Result of the tokenizer's own `decode([id])`. */
  decoded(id: number): string;
  /** Bytes of text that the token stands for. */
  bytes(id: number): Uint8Array;
  idOf(piece: string): number | undefined;
}

/** Map from a source's vocabulary to the pivot's, by which rows are carried over. */
export interface VocabularyMap {
  /** Pivot id of a source id; null where the entry is left out. */
  target(sourceId: number): number | null;
  /** Number of times that the two were aligned; 0 where the map does not count. */
  count(pivotId: number, sourceId: number): number;
}

/** A text tokenised by one model. Token t stands for the bytes [ends[t - 1], ends[t]). */
export interface TokenisedText {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Number of UTF-8 bytes up to the end of each token. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Sparse rows: entries of row r are [offsets[r], offsets[r + 1]), the largest value first. */
export interface SparseRows {
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}

/** Rows of a source: row `rowOf[t]` predicts the token after position t; -1 where none was kept. */
export interface SourceRows {
  readonly rows: SparseRows;
  readonly rowOf: Int32Array<ArrayBuffer>;
}

/**
 * Source positions grouped with each pivot position: position i has [offsets[i], offsets[i + 1]),
 * ascending and at least one. Neighbouring groups may share a position.
 */
export interface Groups {
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly positions: Uint32Array<ArrayBuffer>;
}

/** Alignment of a source to a pivot, with one entry per pivot position in every list. */
export interface Alignment {
  readonly groups: Groups;
  readonly reasons: readonly AlignmentReason[];
  /** Source position whose row is used here; -1 for none. */
  readonly from: Int32Array<ArrayBuffer>;
  /** Logits over the pivot's ids; an empty row falls back to the pivot's own. */
  readonly rows: SparseRows;
}

/** Aligner of a source's rows to a pivot's vocabulary and positions, document by document. */
export interface Aligner {
  /** `groups`: groups of a profile that warps, where they were computed before. */
  align(pivot: TokenisedText, source: TokenisedText, said: SourceRows, groups?: Groups): Alignment;
}
