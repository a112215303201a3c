import type { FusionId, ModelId } from "./ids.ts";
import type { TrainingSettings } from "./trainingSettings.ts";

/** One update, as the live curve shows it. */
export interface TrainingPoint {
  /** From 1. */
  readonly step: number;
  /** Nats a token: λ · clm + (1 - λ) · fusion. */
  readonly loss: number;
  /** Nats a token of the text itself. */
  readonly clm: number;
  /** Nats a fused row: cross-entropy, or Kullback-Leibler with `kl`. Null where no token had a fused row. */
  readonly fusion: number | null;
  readonly lambda: number;
  readonly learningRate: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** Supervised tokens of the step. */
  readonly tokens: number;
  /** Bits a byte of the held-out documents, where they were read after this step. */
  readonly heldOut: number | null;
}

/** What a training looks like from outside. */
export interface TrainingRun {
  readonly steps: number;
  /** Bits a byte of the held-out documents before the first step; null without any. */
  readonly heldOutBefore: number | null;
  /** One a step, the first first. */
  readonly points: readonly TrainingPoint[];
  /** Supervised tokens, over all steps with what lies between them; null before the first. */
  readonly tokensPerSecond: number | null;
}

/** What a training takes, before it starts. */
export interface TrainingPlan {
  readonly steps: number;
  readonly tokensPerStep: number;
  /** That are learned. */
  readonly documents: number;
  readonly heldOutDocuments: number;
  /** Numbers that are learned. */
  readonly trainedValues: number;
  /** Bytes of GPU memory by purpose. */
  readonly bytes: {
    readonly weights: number;
    readonly parameters: number;
    readonly gradients: number;
    /** The optimiser's two moments. */
    readonly moments: number;
    /** What the forward pass keeps of every layer. */
    readonly checkpoints: number;
    readonly activations: number;
    readonly logits: number;
    readonly total: number;
  };
  readonly budgetBytes: number;
  /** What would fit, where this does not: a sentence. */
  readonly suggestion: string | null;
}

/** Which pivot learns from which fused dataset, and how. The dataset must be complete. */
export interface TrainingRequest {
  readonly pivot: ModelId;
  readonly fusion: FusionId;
  readonly settings: TrainingSettings;
}
