import type { AlignmentReason } from "../../contract/index.ts";
import type { SparseRows, TokenisedText } from "../align/types.ts";

/** A document that the pivot and every source read: a row of a dataset, or a part of a long one. */
export interface FusionDocument {
  readonly dataset: string;
  /** Row of the dataset, from 1, and the part of it. */
  readonly at: number;
  readonly part: number;
  readonly domain: string | null;
  /** Pieces in order; the document's text is theirs joined. */
  readonly pieces: readonly DocumentPiece[];
}

/**
 * A piece of a document that is tokenised by itself, so that no model's token crosses its borders.
 * `end` ends a turn or a text: the pivot's own token with that text, and a source's end-of-text
 * token. `control` is another control token of the pivot's template, plain text to a source.
 */
export interface DocumentPiece {
  readonly kind: "text" | "control" | "end";
  readonly text: string;
  /** Whether its tokens are learned. */
  readonly supervised: boolean;
}

/** One model's predictions for one document. Rows are the positions before supervised tokens. */
export interface Representation {
  readonly tokens: TokenisedText;
  /** Row r predicts the token at positions[r] + 1. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** Entries per row. */
  readonly k: number;
  /** [rows, k], the largest logit first; a tie goes to the smaller id. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** [rows, k], rounded to f16: raw logits, or log-probabilities. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Log-sum-exp over the whole vocabulary, one per row; 0 for log-probabilities. */
  readonly logSums: Float32Array<ArrayBuffer>;
  /** Nats of the token that follows in the text, one per row. */
  readonly goldNats: Float32Array<ArrayBuffer>;
}

/** A source's rows, aligned to the pivot's vocabulary and rows. */
export interface AlignedSource {
  readonly model: string;
  /** Tokens of the source itself, for the alignment view. */
  readonly tokens: TokenisedText;
  /** Groups of source positions, one per pivot position. */
  readonly groups: {
    readonly offsets: Uint32Array<ArrayBuffer>;
    readonly positions: Uint32Array<ArrayBuffer>;
  };
  /** Reason at each pivot position; null where an imported dataset has none. */
  readonly reasons: readonly (AlignmentReason | null)[];
  /** Source position whose row is used, or -1. From here on lists have one entry per pivot row. */
  readonly from: Int32Array<ArrayBuffer>;
  /** Logits over the pivot's ids; an empty row has no evidence. */
  readonly rows: SparseRows;
  /** Log-sum-exp of the source's whole row (0 for log-probabilities); NaN where there is none. */
  readonly logSums: Float32Array<ArrayBuffer>;
  /** Nats of the token that follows in the source's tokenisation; NaN where there is none. */
  readonly goldNats: Float32Array<ArrayBuffer>;
  /** Supervised tokens of the source, and their nats, over the document. */
  readonly scored: { readonly tokens: number; readonly nats: number };
}

/** A fused document with everything that training and the views need. */
export interface FusedRecord {
  /** Index of the document among those represented; dropped documents leave gaps. */
  readonly number: number;
  readonly document: FusionDocument;
  readonly pivot: Representation;
  readonly sources: readonly AlignedSource[];
  /** Bytes of the supervised pieces' text. */
  readonly supervisedBytes: number;
  /** [rows, 1 + sources]: weights of the pivot and of each source in the fused row. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** Probabilities over the pivot's ids; with `tail` each row sums to 1. */
  readonly fused: SparseRows;
  /** Probability mass outside the entries, one per row; 0 where rows are renormalised. */
  readonly tail: Float32Array<ArrayBuffer>;
}

/** A document that is aligned and not fused yet. */
export type UnfusedRecord = Omit<FusedRecord, "weights" | "fused" | "tail">;
