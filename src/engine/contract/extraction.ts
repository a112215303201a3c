import type { ExtractionSettings } from "./extractionSettings.ts";
import type { ModelId } from "./ids.ts";

/** A LoRA of what a model has and its base has not. */
export interface ExtractionRequest {
  readonly base: ModelId;
  readonly model: ModelId;
  readonly settings: ExtractionSettings;
}

/** Spectrum of one matrix of the change, model − base. */
export interface MatrixSpectrum {
  /** Module that the factors stand beside. */
  readonly module: string;
  /** Rows and columns as stored. */
  readonly shape: readonly [number, number];
  readonly rank: number;
  /** Leading singular values, descending; at least those that the factors keep. */
  readonly values: readonly number[];
  /** Sum of the squares of all singular values: the squared Frobenius norm. */
  readonly energy: number;
  /** Part of it that the factors keep. */
  readonly kept: number;
  /** energy / σ₁²: how many equal singular values there would be. */
  readonly stableRank: number;
}

/** Record of an extraction, kept beside its factors in extraction.json. */
export interface Extraction {
  /** Names of the base and the model. */
  readonly base: string;
  readonly model: string;
  readonly settings: ExtractionSettings;
  readonly matrices: readonly MatrixSpectrum[];
  /** Names of the tensors that are saved whole. */
  readonly whole: readonly string[];
  /** Number of tensors that do not differ. */
  readonly unchanged: number;
  /** Sentences on what the adapter cannot tell, or was told to leave out. */
  readonly notes: readonly string[];
}
