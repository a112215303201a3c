const ATTENTION = ["q", "k", "v", "o"] as const;
const MLP = ["gate", "up", "down"] as const;
const ENDS = ["embeddings", "head"] as const;
/**
 * Matrices that a LoRA can target. A fused projection stands for each of its parts, and an MLP's
 * only input projection for gate and up, so every architecture has all names.
 */
export const LORA_MODULES = [...ATTENTION, ...MLP, ...ENDS] as const;
export type LoraModule = (typeof LORA_MODULES)[number];

/** W' = W + s · B · A with s = alpha / rank, or alpha / √rank (rslora, arXiv 2312.03732). */
export interface LoraTarget {
  readonly kind: "lora";
  readonly modules: readonly LoraModule[];
  readonly rank: number;
  readonly alpha: number;
  readonly rslora: boolean;
  /** Dropout rate of A's inputs, 0 ≤ dropout < 1; embeddings have none. */
  readonly dropout: number;
  /** Seed of A's initial values and of dropout. */
  readonly seed: number;
}

/** What is trained: LoRA factors beside frozen matrices, or every weight. */
export type TrainTarget = LoraTarget | { readonly kind: "full" };
