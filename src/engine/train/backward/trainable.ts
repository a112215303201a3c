import type { TrainBatch } from "./batch.ts";
import type { TrainPlan } from "./plan.ts";

/** One trained tensor on the GPU, in f32, row after row as a file would hold it. */
export interface Parameter {
  /** As PEFT names it (`base_model.model. … .lora_A.weight`), or as the checkpoint does. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  /** `count` values, filled up to whole quads; an optimiser writes here. */
  readonly value: GPUBuffer;
  /** As large. `accumulate` adds to it. */
  readonly gradient: GPUBuffer;
}

/** A pair of factors, and the tensor that they change. */
export interface Adapter {
  /** As PEFT names the module: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  /** As the architecture names the tensor, which a tied head shares with the embedding. */
  readonly tensor: string;
  /**
   * How Δ = scale · B · A lies in the tensor: as it is (`out_in`), or turned (`in_out`: Conv1D, and
   * embeddings, whose A is `[rank, vocabulary]` and B `[hidden, rank]`).
   */
  readonly layout: "out_in" | "in_out";
  readonly scale: number;
  /** `[rank, inputs]`. */
  readonly a: Parameter;
  /** `[outputs, rank]`. */
  readonly b: Parameter;
}

/** Sums over a batch's positions, each times its weight, in nats. */
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

/** A model with gradients. One call runs at a time; a second one waits for the first. */
export interface TrainableModel {
  readonly parameters: readonly Parameter[];
  /** The pairs of a LoRA; none when every weight is trained. */
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
  /** The losses alone, without dropout. */
  evaluate(batch: TrainBatch, options?: { readonly signal?: AbortSignal }): Promise<Losses>;
  zeroGradients(): void;
  release(): void;
}
