import type { AlignmentReason } from "../../../contract/index.ts";
import type { TieOrder } from "../dtw.ts";
import type { PairCost, Spelling } from "../pairCosts.ts";
import type { Vocabulary, VocabularyMap } from "../types.ts";

/** Which rows of the source stand at a pivot's position, and why. */
export interface Choice {
  readonly reason: AlignmentReason;
  /** Source positions: none, the one whose row is taken, or those that make up the pivot's token. */
  readonly positions: readonly number[];
}

export interface Sides {
  readonly pivot: Vocabulary;
  readonly source: Vocabulary;
  readonly map: VocabularyMap;
  /** FuseChat's `use_token_alignment_matrix`. */
  readonly matrix: boolean;
  /** FuseChat v2's `align_type hard`: equal strings or nothing. */
  readonly exact: boolean;
}

/** Judges the group of source positions that stands beside a pivot's position. */
export type Chooser = (texts: TokenIds, at: number, group: Uint32Array) => Choice;

export interface TokenIds {
  readonly pivot: Uint32Array;
  readonly source: Uint32Array;
}

/** A published reference's rules: how texts are warped, and which rows are taken. */
export interface DtwProfile {
  readonly ties: TieOrder;
  readonly cost: PairCost;
  /** How a side's tokens are written to be compared; what is left whole is marked as the pivot's. */
  spell(side: Vocabulary, pivot: Vocabulary): Spelling;
  openChooser(sides: Sides): Chooser;
}

export const NO_MATCH: Choice = { reason: "no match", positions: [] };
