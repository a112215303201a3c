import type { FusionId, ModelId } from "./ids.ts";
import type { TrainingSettings } from "./trainingSettings.ts";

/** One update in the training curve. */
export interface TrainingPoint {
  /** Number of the step, from 1. */
  readonly step: number;
  /** Nats per token: λ · clm + (1 - λ) · fusion. */
  readonly loss: number;
  /** Nats per token of the text itself. */
  readonly clm: number;
  /**
   * Nats per fused row: cross-entropy, or the KL divergence with `kl`. Null where no token had a
   * fused row.
   */
  readonly fusion: number | null;
  readonly lambda: number;
  readonly learningRate: number;
  /** Gradient norm before clipping. */
  readonly gradientNorm: number;
  /** Supervised tokens of the step. */
  readonly tokens: number;
  /** Bits per byte of the held-out documents, where they were read after this step. */
  readonly heldOut: number | null;
}

/** Curve and speed of a training. */
export interface TrainingRun {
  readonly steps: number;
  /** Bits per byte of the held-out documents before the first step; null without any. */
  readonly heldOutBefore: number | null;
  /** Points, one per step, ascending. */
  readonly points: readonly TrainingPoint[];
  /** Supervised tokens per second, over whole steps; null before the first. */
  readonly tokensPerSecond: number | null;
}

/** Plan of a training: its steps and memory. */
export interface TrainingPlan {
  readonly steps: number;
  readonly tokensPerStep: number;
  /** Documents that are learned. */
  readonly documents: number;
  readonly heldOutDocuments: number;
  /** Number of trained values. */
  readonly trainedValues: number;
  /** Bytes of GPU memory by purpose. */
  readonly bytes: {
    readonly weights: number;
    readonly parameters: number;
    readonly gradients: number;
    /** Both moments of the optimiser. */
    readonly moments: number;
    /** Activations that the forward pass keeps of every layer. */
    readonly checkpoints: number;
    readonly activations: number;
    readonly logits: number;
    readonly total: number;
  };
  readonly budgetBytes: number;
  /** Sentence with settings that would fit, where these do not. */
  readonly suggestion: string | null;
}

/** A training's pivot, fused dataset and settings. The dataset must be complete. */
export interface TrainingRequest {
  readonly pivot: ModelId;
  readonly fusion: FusionId;
  readonly settings: TrainingSettings;
}
