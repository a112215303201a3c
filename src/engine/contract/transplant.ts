import type { ModelId } from "./ids.ts";

/** How rows of tokens that the model lacks are made, by mergekit-tokensurgeon's names. */
export const TRANSPLANT_METHODS = [
  "omp",
  "common_interpolation",
  "subword",
  "mean",
  "zero",
] as const;
export type TransplantMethod = (typeof TRANSPLANT_METHODS)[number];

export const SUBWORD_METHODS = ["mean", "sum", "weighted_mean", "first_last"] as const;
export type SubwordMethod = (typeof SUBWORD_METHODS)[number];

export interface TransplantSettings {
  readonly method: TransplantMethod;
  /** Shared tokens that a new one is put together of (omp, common_interpolation). */
  readonly k: number;
  /** Nearest by angle, not by distance (common_interpolation). */
  readonly cosine: boolean;
  /** Rows of a token's parts become one by this (subword). */
  readonly subword: SubwordMethod;
}

/** mergekit 0.1.5's defaults. */
export const TRANSPLANT_DEFAULTS: TransplantSettings = {
  method: "omp",
  k: 64,
  cosine: false,
  subword: "mean",
};

/** A model with a donor's tokenizer, and rows for the donor's tokens. */
export interface TransplantRequest {
  readonly model: ModelId;
  readonly donor: ModelId;
  readonly settings: TransplantSettings;
}

/** Record of a transplant, kept beside the weights in transplant.json. */
export interface Transplant {
  /** Names of the model and the donor. */
  readonly model: string;
  readonly donor: string;
  readonly settings: TransplantSettings;
  /** Tokens of the donor that the model has: their rows are the model's. */
  readonly shared: number;
  /** Tokens whose rows are made. */
  readonly made: number;
  /** Ids without a token or without a row in the donor: their rows are zeros. */
  readonly zero: number;
}
