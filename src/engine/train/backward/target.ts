const ATTENTION = ["q", "k", "v", "o"] as const;
const MLP = ["gate", "up", "down"] as const;
const ENDS = ["embeddings", "head"] as const;
/**
 * The matrices that a LoRA may stand beside. A fused projection stands for each of its parts, and an
 * MLP's one input projection for gate and up, so every architecture has them all.
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
  /** Part of a module's inputs that its A does not see, 0 ≤ dropout < 1; none in an embedding. */
  readonly dropout: number;
  /** Of the first values of A and of what is dropped. */
  readonly seed: number;
}

/** What is trained: small factors beside frozen matrices, or every weight. */
export type TrainTarget = LoraTarget | { readonly kind: "full" };
