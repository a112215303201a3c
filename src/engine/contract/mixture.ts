import type { FloatName } from "./recipe.ts";

/** How the rows of a mixture's routers are made; the names are mergekit's. */
export const GATE_MODES = [
  /** Hidden state of each prompt's last token, at each layer's input. */
  "hidden",
  /** Mean of the hidden states of each prompt's tokens. */
  "hidden_avg",
  /** Another name of `hidden`. */
  "hidden_last",
  /** Sum of the prompts' token embeddings, the same in every layer. */
  "cheap_embed",
  /** Draws of N(0, 1). */
  "random",
  /** Draws of U(−1/√hidden, 1/√hidden). */
  "uniform_random",
] as const;
export type GateMode = (typeof GATE_MODES)[number];

/** Output architectures of a mixture, by mergekit's names. */
export const MIXTURE_ARCHITECTURES = ["Mixtral", "Qwen MoE", "Qwen3 MoE"] as const;
export type MixtureArchitecture = (typeof MIXTURE_ARCHITECTURES)[number];

/** A model whose feed-forward layers are an expert of a mixture. */
export interface MixtureExpert {
  readonly model: string;
  readonly positivePrompts: readonly string[];
  readonly negativePrompts: readonly string[];
  /** Standard deviation of the noise that is added to the expert's weights. */
  readonly noiseScale?: number;
  /** Factor of the expert's output matrices. */
  readonly residualScale?: number;
}

/** A config of mergekit-moe: dense models as the experts of one mixture. */
export interface MixtureConfig {
  /** Model that gives everything but the experts, and reads the prompts. */
  readonly base: string;
  readonly experts: readonly MixtureExpert[];
  readonly sharedExperts: readonly MixtureExpert[];
  readonly gateMode: GateMode;
  /** Dtype of the result; absent: the base's. */
  readonly dtype?: FloatName;
  readonly expertsPerToken: number;
  /** Beginning of the output architecture's name; absent: the first that takes these models. */
  readonly architecture?: string;
  /** Seed of noise and random gates. */
  readonly seed: number;
}

export interface MixtureRequest {
  /** Text of a config of mergekit-moe. */
  readonly yaml: string;
  /** Whether all experts may be one model, to be trained afterwards. */
  readonly sameExperts?: true;
  /** Largest shard, in bytes. */
  readonly shardBytes: number;
}

/** What a mixture will be, from headers alone. */
export interface MixturePlan {
  readonly config: MixtureConfig;
  readonly architecture: MixtureArchitecture;
  readonly parameters: number;
  readonly layers: number;
  readonly writeBytes: number;
  /** What the user should know: keys without effect, what is left out. */
  readonly notes: readonly string[];
}
