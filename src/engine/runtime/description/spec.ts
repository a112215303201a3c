/**
 * A decoder-only transformer as plain data: what an architecture's description makes of a
 * config.json, and all that the kernels are told.
 */
export interface DecoderSpec {
  readonly architecture: string;
  /** A base model's files may leave this off the front of every tensor's name. */
  readonly optionalPrefix: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Tokens that the model was trained to see; hard where positions are learned. */
  readonly contextLength: number;
  readonly embedding: {
    readonly tensor: string;
    readonly scale: number;
    /** A token whose row is not trained as an input, as torch's `padding_idx`. */
    readonly padding: number | null;
    /** Learned positions, `[contextLength, hiddenSize]`. */
    readonly positions: string | null;
  };
  readonly norm: NormSpec;
  /** x + attention(norm(x)) + mlp(norm(x)) instead of one after the other. */
  readonly parallelResidual: boolean;
  readonly layers: readonly LayerSpec[];
  readonly finalNorm: NormTensors;
  readonly head: {
    readonly tensor: string;
    readonly bias: string | null;
    /** Logits become cap · tanh(logits / cap). */
    readonly softcap: number | null;
  };
}

export interface NormSpec {
  readonly kind: "rms" | "layer";
  readonly epsilon: number;
  /** 1 where the stored weight is what is added to 1 (Gemma). */
  readonly weightOffset: number;
}

export interface NormTensors {
  readonly weight: string;
  readonly bias: string | null;
}

export interface AttentionSpec {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Position i sees the `window` positions up to itself; null: all. */
  readonly window: number | null;
  /** Scores are scale · (query · key). */
  readonly scale: number;
  /** Scores become cap · tanh(scores / cap). */
  readonly softcap: number | null;
  /** Layers that rotate alike share one object, and with it one table of angles. */
  readonly rope: RopeSpec | null;
  /** Where queries, keys and values lie in a row that the projections wrote. */
  readonly rowStride: number;
  readonly query: HeadView;
  readonly key: HeadView;
  readonly value: HeadView;
}

/** Head h is at `offset + h · headStride`. */
export interface HeadView {
  readonly offset: number;
  readonly headStride: number;
}

export interface RopeSpec {
  readonly theta: number;
  /** Pair j turns by theta^(-2j / dims) a position. */
  readonly dims: number;
  /** dims / 2, rounded up; pair j is (j, j + pairs), and what lies beyond 2 · pairs is not turned. */
  readonly pairs: number;
  readonly scaling: RopeScaling;
}

export type RopeScaling =
  | { readonly kind: "none" }
  | { readonly kind: "linear"; readonly factor: number }
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContext: number;
    }
  | {
      readonly kind: "yarn";
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly originalContext: number;
      readonly truncate: boolean;
      /** On cos and sin. */
      readonly attentionFactor: number;
    }
  | {
      /** Every pair has its own divisor, in texts up to the original context and in longer ones. */
      readonly kind: "longrope";
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly originalContext: number;
      readonly attentionFactor: number;
    };

export const ACTIVATIONS = ["silu", "gelu", "gelu_tanh", "relu"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface MlpSpec {
  readonly size: number;
  readonly activation: Activation;
  /** Columns of the row that the input projections write; null: no gate. */
  readonly gateOffset: number | null;
  readonly upOffset: number;
  readonly rowStride: number;
}

/** One linear map. `in_out` is how GPT-2's Conv1D stores it. */
export interface Projection {
  readonly weight: string;
  readonly bias: string | null;
  readonly layout: "out_in" | "in_out";
  readonly inputs: number;
  readonly outputs: number;
  /** The first column of the output row that it writes. */
  readonly column: number;
}

/** All that a layer's kernels are told; layers of one decoder may differ in any of it. */
export interface LayerSpec {
  readonly attention: AttentionSpec;
  readonly mlp: MlpSpec;
  readonly attentionNorm: NormTensors;
  readonly qkv: readonly Projection[];
  /** Norms over each head's own dimensions. */
  readonly queryNorm: NormTensors | null;
  readonly keyNorm: NormTensors | null;
  readonly attentionOut: Projection;
  readonly postAttentionNorm: NormTensors | null;
  readonly mlpNorm: NormTensors;
  readonly mlpIn: readonly Projection[];
  readonly mlpOut: Projection;
  readonly postMlpNorm: NormTensors | null;
}
