import type { AlignmentReason } from "../../../contract/index.ts";
import type { TieOrder } from "../dtw.ts";
import type { PairCost, Spelling } from "../pairCosts.ts";
import type { Vocabulary, VocabularyMap } from "../types.ts";

/** Source positions chosen for a pivot position, with the reason. */
export interface Choice {
  readonly reason: AlignmentReason;
  /** Source positions: none, the one whose row is used, or those that make up the pivot's token. */
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

/** Chooses source positions from the group of a pivot position. */
export type Chooser = (texts: TokenIds, at: number, group: Uint32Array) => Choice;

export interface TokenIds {
  readonly pivot: Uint32Array;
  readonly source: Uint32Array;
}

/** Rules of a published reference: how texts are warped, and which source rows are used. */
export interface DtwProfile {
  readonly ties: TieOrder;
  readonly cost: PairCost;
  /** Strings of a side's tokens for comparison, with the pivot's space marker where one is kept. */
  spell(side: Vocabulary, pivot: Vocabulary): Spelling;
  openChooser(sides: Sides): Chooser;
}

export const NO_MATCH: Choice = { reason: "no match", positions: [] };
