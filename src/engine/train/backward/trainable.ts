import type { TrainBatch } from "./batch.ts";
import type { TrainPlan } from "./plan.ts";

/** One trained tensor on the GPU, in f32, row-major. */
export interface Parameter {
  /** Name in PEFT (`base_model.model. … .lora_A.weight`), or in the checkpoint. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  /** `count` values, padded to whole quads; the optimiser writes here. */
  readonly value: GPUBuffer;
  /** Gradient, of the same size, which `accumulate` adds to. */
  readonly gradient: GPUBuffer;
}

/** LoRA factors, and the tensor that they change. */
export interface Adapter {
  /** As PEFT names the module: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  /** Name of the tensor in the architecture; a tied head has the embedding's. */
  readonly tensor: string;
  /**
   * Layout of Δ = scale · B · A in the tensor: as stored by torch's Linear (`out_in`), or
   * transposed (`in_out`: Conv1D, and embeddings, whose A is `[rank, vocabulary]` and B `[hidden,
   * rank]`).
   */
  readonly layout: "out_in" | "in_out";
  readonly scale: number;
  /** `[rank, inputs]`. */
  readonly a: Parameter;
  /** `[outputs, rank]`. */
  readonly b: Parameter;
}

/** Losses of a batch in nats: sums over its positions, each times its weight. */
export interface Losses {
  /** Cross-entropy of the labels. */
  readonly clm: number;
  /**
   * Cross-entropy of the fused rows, -Σ q ln p, over the positions that have one; a tail's p is that
   * of all tokens outside the row.
   */
  readonly fusion: number;
  /** Entropy of the fused rows: `fusion - entropy` is the forward KL divergence. */
  readonly entropy: number;
  /** Σ weights. */
  readonly tokens: number;
  /** Σ weights of the positions that have a fused row. */
  readonly fusedTokens: number;
}

/** A model with gradients. Calls run one at a time; a second call waits for the first. */
export interface TrainableModel {
  readonly parameters: readonly Parameter[];
  /** Adapters of a LoRA; empty when every weight is trained. */
  readonly adapters: readonly Adapter[];
  readonly plan: TrainPlan;
  /**
   * Adds scale · ∂/∂θ Σₜ weightₜ · (λ · clmₜ + (1 - λ) · fusionₜ) to every gradient. For a mean over
   * all tokens of a step, `scale` is 1 / (tokens of all its batches). `step` counts the calls of a
   * run: with the seed it decides what dropout drops. `usage` for a batch that is too long or malformed,
   * `cancelled` between two layers.
   */
  accumulate(
    batch: TrainBatch,
    options: { readonly scale: number; readonly step: number; readonly signal?: AbortSignal },
  ): Promise<Losses>;
  /** Losses of a batch without gradients and dropout. */
  evaluate(batch: TrainBatch, options?: { readonly signal?: AbortSignal }): Promise<Losses>;
  zeroGradients(): void;
  release(): void;
}
