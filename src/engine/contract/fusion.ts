import type { FusionSettings } from "./fusionSettings.ts";
import type { FusionId, ModelId } from "./ids.ts";

/** Reasons why a source's row is used, or not, at a pivot's position. */
export const ALIGNMENT_REASONS = [
  /** Both texts end at the same byte (studio). */
  "same end",
  /** The two strings are equal. */
  "equal",
  /** Equal through the vocabulary map. */
  "mapped",
  /** The pivot's token is a part of the source's. */
  "contained",
  /** One of the strings ends with the other. */
  "suffix",
  /** Several source tokens together are the pivot's. */
  "joined",
  /** No source position matches: the fallback row is used. */
  "no match",
  /** The source has no row at the matching position. */
  "not kept",
  /** Every entry of the row was lost in the vocabulary map. */
  "empty",
] as const;
export type AlignmentReason = (typeof ALIGNMENT_REASONS)[number];

/** One model's statistics in a fusion. Rows are supervised tokens of the pivot. */
export interface FusionMember {
  readonly model: string;
  /** Rows that it decides (MinCE) or has the largest weight in (AvgCE). */
  readonly wins: number;
  readonly nats: number;
  /** Scored tokens of its own tokenisation. */
  readonly tokens: number;
  readonly natsPerToken: number | null;
  readonly bitsPerByte: number | null;
  /** Pivot rows for which it has a row of its own; for the pivot all. */
  readonly covered: number;
  readonly reasons: Readonly<Partial<Record<AlignmentReason, number>>>;
}

/** Statistics of the rows of one domain. */
export interface FusionDomain {
  /** Domain; null for rows that name none. */
  readonly domain: string | null;
  readonly documents: number;
  readonly rows: number;
  readonly bytes: number;
  /** Members, the pivot first. */
  readonly members: readonly FusionMember[];
}

/** A fused dataset in the library. */
export interface FusionCard {
  readonly id: FusionId;
  readonly name: string;
  readonly state: "complete" | "partial";
  readonly origin: "fuse" | "import";
  readonly createdAt: number;
  readonly byteLength: number;
  /** Checkpoint of the pivot, where it is in the library. */
  readonly pivot: ModelId | null;
  readonly vocabSize: number;
  readonly settings: FusionSettings;
  readonly documents: number;
  /** Supervised tokens. */
  readonly rows: number;
  /** Bytes that the supervised tokens stand for. */
  readonly bytes: number;
  /** Members: the pivot, then the sources in the request's order. */
  readonly members: readonly FusionMember[];
  readonly domains: readonly FusionDomain[];
  /** Documents that were left out, by reason. */
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
}

/** A document of a fused dataset, for a list. */
export interface FusedDocumentCard {
  readonly index: number;
  readonly dataset: string;
  readonly domain: string | null;
  /** Beginning of its text. */
  readonly excerpt: string;
  readonly tokens: number;
  readonly rows: number;
  /** Number of each source's rows of its own. */
  readonly covered: readonly number[];
  /** Nats per byte of each member, the pivot first. */
  readonly natsPerByte: readonly (number | null)[];
  /** Member that decides most rows. */
  readonly winner: number;
}

/** A token with the UTF-16 range of its text in the document. */
export interface AlignedToken {
  readonly id: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Alignment of one source to the pivot, position by position. */
export interface SourceAlignment {
  readonly model: string;
  readonly tokens: readonly AlignedToken[];
  /** Link of each pivot token: the source tokens grouped with it, and the reason. */
  readonly links: readonly {
    readonly group: readonly number[];
    /** Source position whose row is used, or null. */
    readonly from: number | null;
    /** Null where no supervised token follows the pivot's token. */
    readonly reason: AlignmentReason | null;
    /**
     * Position whose text ends at the same byte, or null; it can differ from the profile's choice.
     */
    readonly sameEnd: number | null;
  }[];
}

/** A document for the alignment view. */
export interface FusedDocument extends FusedDocumentCard {
  readonly text: string;
  readonly pivotTokens: readonly AlignedToken[];
  /** For each pivot token, the fused row that predicts the token after it, or null. */
  readonly rowOf: readonly (number | null)[];
  readonly sources: readonly SourceAlignment[];
  /** Member that decides each row. */
  readonly winners: readonly number[];
}

/** A token of a distribution, with its text where known. */
export interface DistributionEntry {
  readonly id: number;
  readonly text: string;
  readonly probability: number;
}

/** A distribution over a vocabulary, the likeliest token first; its tail is 1 minus its entries. */
export interface Distribution {
  readonly entries: readonly DistributionEntry[];
  readonly tail: number;
  /** Nats of the token that follows, from the model itself; null where it has no row. */
  readonly nats: number | null;
}

/** One row in full: the distributions of the token after `position`. */
export interface FusedRow {
  readonly document: number;
  readonly row: number;
  readonly position: number;
  readonly gold: { readonly id: number; readonly text: string };
  /** Members, the pivot first. A source without a row of its own has no distribution. */
  readonly members: readonly {
    readonly model: string;
    readonly reason: AlignmentReason | null;
    /** The source's own row, in its vocabulary, before the vocabulary map; null for the pivot. */
    readonly own: Distribution | null;
    readonly aligned: Distribution | null;
    /** Its weight in the fused row. */
    readonly weight: number;
    /** Metric that the choice compared: nats per byte or per token. */
    readonly metric: number | null;
  }[];
  readonly winner: number;
  readonly fused: Distribution;
}
