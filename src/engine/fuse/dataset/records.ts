import type { AlignmentReason } from "../../contract/index.ts";
import type { SparseRows, TokenisedText } from "../align/types.ts";

/** A text to be read by the pivot and by every source: a row of a dataset, or a part of a long one. */
export interface FusionDocument {
  readonly dataset: string;
  /** The row of the dataset, from 1, and which part of it. */
  readonly at: number;
  readonly part: number;
  readonly domain: string | null;
  /** In order; their texts make up the document's. */
  readonly pieces: readonly DocumentPiece[];
}

/**
 * A stretch of a document that is tokenised by itself, so that no token of any model lies across its
 * borders. `end` ends a turn or a text: the pivot's own token with that text, and in a source its
 * end-of-text token. `control` is another control token of the pivot's template, plain text to a source.
 */
export interface DocumentPiece {
  readonly kind: "text" | "control" | "end";
  readonly text: string;
  /** Whether its tokens are to be learned. */
  readonly supervised: boolean;
}

/** What one model says about one document. Rows are the positions before supervised tokens. */
export interface Representation {
  readonly tokens: TokenisedText;
  /** Row r predicts the token at positions[r] + 1. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** Entries a row. */
  readonly k: number;
  /** [rows, k], the largest logit first; a tie goes to the smaller id. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** [rows, k], rounded to f16: raw, or log-probabilities. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Log-sum-exp over the whole vocabulary, one a row: of log-probabilities 0. */
  readonly logSums: Float32Array<ArrayBuffer>;
  /** Nats of the token that really follows, one a row. */
  readonly goldNats: Float32Array<ArrayBuffer>;
}

/** A source's rows in the pivot's vocabulary, at the pivot's rows. */
export interface AlignedSource {
  readonly model: string;
  /** The source's own tokens, for the alignment view. */
  readonly tokens: TokenisedText;
  /** Groups of source positions, one a pivot position. */
  readonly groups: {
    readonly offsets: Uint32Array<ArrayBuffer>;
    readonly positions: Uint32Array<ArrayBuffer>;
  };
  /** One a pivot position; null where an imported dataset does not tell. */
  readonly reasons: readonly (AlignmentReason | null)[];
  /** One a pivot row from here on. The source position whose row stands here, or -1. */
  readonly from: Int32Array<ArrayBuffer>;
  /** Logits over the pivot's ids; empty: no evidence. */
  readonly rows: SparseRows;
  /** Log-sum-exp of the source's own whole row, of log-probabilities 0; NaN where there is none. */
  readonly logSums: Float32Array<ArrayBuffer>;
  /** Nats of the token that follows in the source's own tokenisation; NaN where there is none. */
  readonly goldNats: Float32Array<ArrayBuffer>;
  /** Over the document: the source's own supervised tokens and their nats. */
  readonly scored: { readonly tokens: number; readonly nats: number };
}

/** A document with everything that training and the views need: what a fused dataset is made of. */
export interface FusedRecord {
  /** The document's number among those that were represented: dropped ones leave gaps. */
  readonly number: number;
  readonly document: FusionDocument;
  readonly pivot: Representation;
  readonly sources: readonly AlignedSource[];
  /** Bytes that the supervised pieces stand for. */
  readonly supervisedBytes: number;
  /** [rows, 1 + sources]: weights of the pivot and of each source in the fused row. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** Probabilities over the pivot's ids, with `tail` they sum to 1. */
  readonly fused: SparseRows;
  /** The mass outside the entries, one a row; zeros where rows are renormalised. */
  readonly tail: Float32Array<ArrayBuffer>;
}

/** A document that is aligned and not yet fused. */
export type UnfusedRecord = Omit<FusedRecord, "weights" | "fused" | "tail">;
