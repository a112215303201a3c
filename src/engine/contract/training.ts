import type { FusionId, ModelId } from "./ids.ts";
import type { OutputDType } from "./tensor.ts";

/** The matrices that a LoRA may stand beside; an architecture's fused ones stand for all their parts. */
export const TRAINED_MODULES = [
  ...(["q", "k", "v", "o", "gate", "up", "down", "embeddings", "head"] as const),
] as const;
export type TrainedModule = (typeof TRAINED_MODULES)[number];

/** How a pivot is drawn towards a fused dataset. Each profile has its own defaults. */
export interface TrainingSettings {
  /** `lora`: factors beside the matrices of `modules`; `full`: every weight. */
  readonly mode: "lora" | "full";
  readonly modules: readonly TrainedModule[];
  /** Of the factors; 1 to 1024. */
  readonly rank: number;
  /** What the factors make is scaled by alpha / rank. */
  readonly alpha: number;
  /** Scales by alpha / √rank instead of alpha / rank. */
  readonly rslora: boolean;
  /** Part of a module's inputs that its factors do not see in a step, below 1. */
  readonly dropout: number;

  /** Loss = λ · cross-entropy of the text + (1 - λ) · fusion; 1 is plain fine-tuning. */
  readonly lambda: number;
  /** `hard` stays, `hard_and_decay` fades the fusion out, `soft` trusts teachers as they are sure. */
  readonly lambdaSchedule: "hard" | "hard_and_decay" | "soft";
  /** How the fusion is told: both have the same gradient. */
  readonly fusionLoss: "ce" | "kl";

  /** The largest one. */
  readonly learningRate: number;
  readonly schedule: "cosine" | "linear" | "constant";
  /** Part of the steps in which the rate rises. */
  readonly warmup: number;
  /** AdamW's (arXiv 1711.05101); the decay is decoupled, and times the learning rate. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The longest gradient; 0: no limit. */
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
