import type { TrainingSettings } from "../../../../engine/contract/index.ts";

type NumberKey = {
  [K in keyof TrainingSettings]: TrainingSettings[K] extends number | null ? K : never;
}[keyof TrainingSettings];

/** A number that the form asks for. */
export interface TrainingField {
  readonly key: NumberKey;
  readonly label: string;
  readonly help: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Folded away until asked for. */
  readonly advanced: boolean;
  /** What an empty field means, where it may be empty. */
  readonly empty?: string;
}

/** The numbers of a training in the order in which they matter. */
export const TRAINING_FIELDS: readonly TrainingField[] = [
  {
    ...{ key: "steps", label: "Steps", min: 1, max: 1_000_000, step: 1, advanced: false },
    ...{ help: "Updates of each target.", empty: "as many as an epoch takes" },
  },
  {
    ...{ key: "batchTokens", label: "Tokens a step", min: 1, max: 2 ** 24, step: 64 },
    ...{ advanced: false, help: "Read between two updates." },
  },
  {
    ...{ key: "learningRate", label: "Learning rate", min: 0, max: 1, step: 0.0001 },
    ...{ advanced: false, help: "The largest one, after the warm-up." },
  },
  {
    ...{ key: "lambda", label: "λ", min: 0, max: 1, step: 0.05, advanced: false },
    help: "The weight of the text itself; the rest is the fusion’s. 1 is plain fine-tuning.",
  },
  {
    ...{ key: "sequenceTokens", label: "Longest sequence", min: 2, max: 2 ** 20, step: 16 },
    ...{ advanced: true, help: "Tokens on the GPU at once; it decides how much memory is taken." },
  },
  {
    ...{ key: "rank", label: "Rank", min: 1, max: 1024, step: 1, advanced: true },
    help: "Of the LoRA’s factors.",
  },
  {
    ...{ key: "alpha", label: "Alpha", min: 0.1, max: 1024, step: 1, advanced: true },
    help: "Scales what the LoRA adds.",
  },
  {
    ...{ key: "dropout", label: "Dropout", min: 0, max: 0.9, step: 0.05, advanced: true },
    help: "Part of the LoRA’s inputs that is left out at random.",
  },
  {
    ...{ key: "warmup", label: "Warm-up", min: 0, max: 1, step: 0.01, advanced: true },
    help: "Part of the steps in which the rate rises.",
  },
  {
    ...{ key: "clip", label: "Clip", min: 0, max: 1000, step: 0.1, advanced: true },
    help: "The longest gradient; 0 takes any.",
  },
  {
    ...{ key: "holdout", label: "Held out", min: 0, max: 0.9, step: 0.05, advanced: true },
    help: "Part of the texts that is not learned but read, to see whether learning helps.",
  },
  {
    ...{ key: "evaluateEvery", label: "Read held-out texts every", min: 0, max: 1e6, step: 1 },
    ...{ advanced: true, help: "Steps; 0 reads them at the end alone." },
  },
  {
    ...{ key: "seed", label: "Seed", min: 0, max: 2 ** 32 - 1, step: 1, advanced: true },
    help: "Of the order, the first values and what is dropped.",
  },
];
