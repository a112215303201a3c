/**
 * A decoder-only transformer as plain data: made from a config.json by its architecture's
 * description, and read by all kernels.
 */
export interface DecoderSpec {
  readonly architecture: string;
  /** Prefix of tensor names that a base model's files may leave out. */
  readonly optionalPrefix: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Tokens that the model was trained for; a hard limit where positions are learned. */
  readonly contextLength: number;
  readonly embedding: {
    readonly tensor: string;
    readonly scale: number;
    /** Token whose embedding row is not trained, as torch's `padding_idx`. */
    readonly padding: number | null;
    /** Learned positions, `[contextLength, hiddenSize]`. */
    readonly positions: string | null;
  };
  readonly norm: NormSpec;
  /** x + attention(norm(x)) + mlp(norm(x)), instead of attention and MLP in sequence. */
  readonly parallelResidual: boolean;
  readonly layers: readonly LayerSpec[];
  readonly finalNorm: NormTensors;
  readonly head: {
    readonly tensor: string;
    readonly bias: string | null;
    /** Cap of the logits: cap · tanh(logits / cap). */
    readonly softcap: number | null;
  };
}

export interface NormSpec {
  readonly kind: "rms" | "layer";
  readonly epsilon: number;
  /** 1 where the norm multiplies by 1 + weight (Gemma). */
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
  /** Window: position i sees the `window` positions up to itself; null: all. */
  readonly window: number | null;
  /** Factor of the scores: scale · (query · key). */
  readonly scale: number;
  /** Cap of the scores: cap · tanh(scores / cap). */
  readonly softcap: number | null;
  /** Layers with equal ropes share one object, and so one angle table. */
  readonly rope: RopeSpec | null;
  /** Layout of queries, keys and values in a row of the projections' output. */
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
  /** Pair j rotates by theta^(-2j / dims) per position. */
  readonly dims: number;
  /**
   * dims / 2, rounded up; pair j is (j, j + pairs); dimensions from 2 · pairs on are not rotated.
   */
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
      /** Factor of cos and sin. */
      readonly attentionFactor: number;
    }
  | {
      /**
       * Every pair has a divisor of its own, in texts up to the original context and in longer
       * ones.
       */
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
  /** First column of the gate in the input projections' row; null: no gate. */
  readonly gateOffset: number | null;
  readonly upOffset: number;
  readonly rowStride: number;
}

/** A linear map. `in_out` is how GPT-2's Conv1D stores it. */
export interface Projection {
  readonly weight: string;
  readonly bias: string | null;
  readonly layout: "out_in" | "in_out";
  readonly inputs: number;
  readonly outputs: number;
  /** First column of the output row that it writes. */
  readonly column: number;
}

/** A layer as its kernels need it; layers of one decoder may differ in any field. */
export interface LayerSpec {
  readonly attention: AttentionSpec;
  readonly mlp: MlpSpec;
  readonly attentionNorm: NormTensors;
  readonly qkv: readonly Projection[];
  /** Norms over each head's dimensions. */
  readonly queryNorm: NormTensors | null;
  readonly keyNorm: NormTensors | null;
  readonly attentionOut: Projection;
  readonly postAttentionNorm: NormTensors | null;
  readonly mlpNorm: NormTensors;
  readonly mlpIn: readonly Projection[];
  readonly mlpOut: Projection;
  readonly postMlpNorm: NormTensors | null;
}
