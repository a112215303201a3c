import type { FusionId } from "./fusion.ts";
import type { ModelId } from "./model.ts";
import type { OutputDType } from "./tensor.ts";

/** The matrices that a LoRA may stand beside; an architecture's fused ones stand for all their parts. */
export const TRAINED_MODULES = [
  ...(["q", "k", "v", "o", "gate", "up", "down", "embeddings", "head"] as const),
] as const;
export type TrainedModule = (typeof TRAINED_MODULES)[number];

/** How a pivot is drawn towards a fused dataset. Each profile has its own defaults. */
export interface TrainingSettings {
  readonly mode: "lora" | "full";
  readonly modules: readonly TrainedModule[];
  readonly rank: number;
  readonly alpha: number;
  /** Scales by alpha / √rank instead of alpha / rank. */
  readonly rslora: boolean;
  readonly dropout: number;

  /** Loss = λ · cross-entropy of the text + (1 - λ) · fusion; 1 is plain fine-tuning. */
  readonly lambda: number;
  /** `hard` stays, `hard_and_decay` fades the fusion out, `soft` trusts teachers as they are sure. */
  readonly lambdaSchedule: "hard" | "hard_and_decay" | "soft";
  /** How the fusion is told: both have the same gradient. */
  readonly fusionLoss: "ce" | "kl";

  readonly learningRate: number;
  readonly schedule: "cosine" | "linear" | "constant";
  /** Part of the steps in which the rate rises. */
  readonly warmup: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The longest gradient; 0: any. */
  readonly clip: number;

  /** Null: as many as the epochs take. */
  readonly steps: number | null;
  readonly epochs: number;
  /** Tokens that are read between two updates. */
  readonly batchTokens: number;
  /** Tokens on the GPU at once: the longest sequence. Longer documents are cut. */
  readonly sequenceTokens: number;
  /** Several documents in a sequence, which do not see each other. */
  readonly packing: boolean;
  /** Of the order, the dropout and the first values. */
  readonly seed: number;
  /** Part of the documents that is held out, and after how many steps it is read; 0: at the end. */
  readonly holdout: number;
  readonly evaluateEvery: number;
  /** What the target is written as; null: as the pivot. */
  readonly dtype: OutputDType | null;
}

/** One update, as the live curve shows it. */
export interface TrainingPoint {
  /** From 1. */
  readonly step: number;
  /** Nats a token: λ · clm + (1 - λ) · fusion. */
  readonly loss: number;
  readonly clm: number;
  /** Null where no token had a fused row. */
  readonly fusion: number | null;
  readonly lambda: number;
  readonly learningRate: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly tokens: number;
  /** Bits a byte of the held-out documents, where they were read after this step. */
  readonly heldOut: number | null;
}

/** What a training looks like from outside. */
export interface TrainingRun {
  readonly steps: number;
  /** Bits a byte of the held-out documents before the first step; null without any. */
  readonly heldOutBefore: number | null;
  readonly points: readonly TrainingPoint[];
  readonly tokensPerSecond: number | null;
}

/** Bytes of GPU memory by purpose, before a training starts. */
export interface TrainingPlan {
  readonly steps: number;
  readonly tokensPerStep: number;
  readonly documents: number;
  readonly heldOutDocuments: number;
  readonly trainedValues: number;
  readonly bytes: {
    readonly weights: number;
    readonly parameters: number;
    readonly gradients: number;
    /** The optimiser's two moments. */
    readonly moments: number;
    readonly checkpoints: number;
    readonly activations: number;
    readonly logits: number;
    readonly total: number;
  };
  readonly budgetBytes: number;
  /** What would fit, where this does not: a sentence. */
  readonly suggestion: string | null;
}

export interface TrainingRequest {
  readonly pivot: ModelId;
  readonly fusion: FusionId;
  readonly settings: TrainingSettings;
}
