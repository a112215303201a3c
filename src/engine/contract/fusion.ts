import type { FusionSettings } from "./fusionSettings.ts";
import type { FusionId, ModelId } from "./ids.ts";

/** Why a source's row stands, or does not stand, at a pivot's position. */
export const ALIGNMENT_REASONS = [
  /** Both texts end at the same byte (studio). */
  "same end",
  /** The two strings are equal. */
  "equal",
  /** Equal through the vocabulary map. */
  "mapped",
  /** The pivot's token is a part of the source's. */
  "contained",
  /** One ends with the other. */
  "suffix",
  /** Several source tokens make up the pivot's. */
  "joined",
  /** Nothing fits: the fall-back stands here. */
  "no match",
  /** The position that fits is one the source was not asked about. */
  "not kept",
  /** Every entry of the row was lost on the way to the pivot's vocabulary. */
  "empty",
] as const;
export type AlignmentReason = (typeof ALIGNMENT_REASONS)[number];

/** One model's part in a fusion. Rows are supervised tokens of the pivot. */
export interface FusionMember {
  readonly model: string;
  /** Rows that it decides (MinCE) or mainly decides (AvgCE). */
  readonly wins: number;
  readonly nats: number;
  /** Tokens of its own that were scored. */
  readonly tokens: number;
  readonly natsPerToken: number | null;
  readonly bitsPerByte: number | null;
  /** Pivot rows with evidence of its own; the pivot has all. */
  readonly covered: number;
  readonly reasons: Readonly<Partial<Record<AlignmentReason, number>>>;
}

/** What came of the rows of one domain. */
export interface FusionDomain {
  /** Null: rows that name none. */
  readonly domain: string | null;
  readonly documents: number;
  readonly rows: number;
  readonly bytes: number;
  /** The pivot first. */
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
  /** The pivot's checkpoint, where it is in the library. */
  readonly pivot: ModelId | null;
  readonly vocabSize: number;
  readonly settings: FusionSettings;
  readonly documents: number;
  /** Supervised tokens. */
  readonly rows: number;
  /** Bytes that the supervised tokens stand for. */
  readonly bytes: number;
  /** The pivot first, then the sources in the order that was given. */
  readonly members: readonly FusionMember[];
  readonly domains: readonly FusionDomain[];
  /** What was left out, and how often. */
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
}

/** A document of a fused dataset, as a list shows it. */
export interface FusedDocumentCard {
  readonly index: number;
  readonly dataset: string;
  readonly domain: string | null;
  /** The beginning of its text. */
  readonly excerpt: string;
  readonly tokens: number;
  readonly rows: number;
  /** Covered rows of each source. */
  readonly covered: readonly number[];
  /** Nats per byte of each member, the pivot first. */
  readonly natsPerByte: readonly (number | null)[];
  /** The member that decides most rows. */
  readonly winner: number;
}

/** A token with the UTF-16 range of the document's text that it stands for. */
export interface AlignedToken {
  readonly id: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** One source beside the pivot, position by position. */
export interface SourceAlignment {
  readonly model: string;
  readonly tokens: readonly AlignedToken[];
  /** For each pivot token: the source tokens grouped with it, and what became of the row. */
  readonly links: readonly {
    readonly group: readonly number[];
    /** The source position whose row stands here, or null. */
    readonly from: number | null;
    /** Null where the pivot's token is not followed by a supervised one. */
    readonly reason: AlignmentReason | null;
    /** The position whose text ends at the same byte, or null: where the profile differs from it. */
    readonly sameEnd: number | null;
  }[];
}

/** A document as the alignment view shows it. */
export interface FusedDocument extends FusedDocumentCard {
  readonly text: string;
  readonly pivotTokens: readonly AlignedToken[];
  /** For each pivot token, the fused row that predicts the token after it, or null. */
  readonly rowOf: readonly (number | null)[];
  readonly sources: readonly SourceAlignment[];
  /** For each row the member that decides it. */
  readonly winners: readonly number[];
}

/** One token of a distribution, with its text where that is known. */
export interface DistributionEntry {
  readonly id: number;
  readonly text: string;
  readonly probability: number;
}

/** A distribution over a vocabulary, the likeliest first; what its entries lack to 1 is its tail. */
export interface Distribution {
  readonly entries: readonly DistributionEntry[];
  readonly tail: number;
  /** Nats of the gold token, as the model itself gave them; null where it says nothing. */
  readonly nats: number | null;
}

/** Everything that is known about one row: the distributions of the token after `position`. */
export interface FusedRow {
  readonly document: number;
  readonly row: number;
  readonly position: number;
  readonly gold: { readonly id: number; readonly text: string };
  /** The pivot first. A source without evidence has no distribution. */
  readonly members: readonly {
    readonly model: string;
    readonly reason: AlignmentReason | null;
    /** The source's own row, in its own vocabulary, before the vocabulary map; null for the pivot. */
    readonly own: Distribution | null;
    readonly aligned: Distribution | null;
    /** Its weight in the fused row. */
    readonly weight: number;
    /** What the choice compared: nats per byte or per token. */
    readonly metric: number | null;
  }[];
  readonly winner: number;
  readonly fused: Distribution;
}
