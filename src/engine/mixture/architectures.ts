import {
  EngineError,
  MIXTURE_ARCHITECTURES,
  type MixtureArchitecture,
  type MixtureConfig,
} from "../contract/index.ts";
import { shorten } from "../core/json.ts";

/** A model of a mixture as its architecture sees it. */
export interface MixtureModel {
  readonly name: string;
  readonly modelType: string | null;
}

/** How a mixture's checkpoint is laid out in transformers. */
export interface MixtureLayout {
  readonly name: MixtureArchitecture;
  /** `architectures` and `model_type` of config.json. */
  readonly className: string;
  readonly modelType: string;
  /** Model types that it is made from. */
  readonly from: readonly string[];
  /** Whether all experts of a layer are two tensors: [E, 2·inner, hidden] and [E, hidden, inner]. */
  readonly fused: boolean;
  /** Whether queries, keys and values have biases: zeros where the base has none. */
  readonly biases: boolean;
  /** Number of experts that every token goes to, with a gate of their own. */
  readonly shared: 0 | 1;
  /**
   * Fields of config.json beside the base's, as JSON, since 0.0 and 0 are of two types in Python;
   * `inner` is the length of an expert's hidden layer.
   */
  fields(about: {
    readonly experts: number;
    readonly expertsPerToken: number;
    readonly inner: number;
  }): Readonly<Record<string, string>>;
}

/** Every layer is a mixture, and the chosen experts' weights sum to 1. */
const ROUTED = {
  decoder_sparse_step: "1",
  mlp_only_layers: "[]",
  norm_topk_prob: "true",
  output_router_logits: "false",
  router_aux_loss_coef: "0.001",
} as const;

const LAYOUTS: Readonly<Record<MixtureArchitecture, MixtureLayout>> = {
  Mixtral: {
    name: "Mixtral",
    className: "MixtralForCausalLM",
    modelType: "mixtral",
    from: ["llama", "mistral"],
    fused: true,
    biases: false,
    shared: 0,
    fields: ({ experts, expertsPerToken }) => ({
      num_local_experts: `${experts}`,
      num_experts_per_tok: `${expertsPerToken}`,
      sliding_window: "null",
      output_router_logits: "false",
      router_aux_loss_coef: "0.001",
      router_jitter_noise: "0.0",
    }),
  },
  "Qwen MoE": {
    name: "Qwen MoE",
    className: "Qwen2MoeForCausalLM",
    modelType: "qwen2_moe",
    from: ["llama", "mistral", "qwen2"],
    fused: false,
    biases: true,
    shared: 1,
    fields: ({ experts, expertsPerToken, inner }) => ({
      num_experts: `${experts}`,
      num_experts_per_tok: `${expertsPerToken}`,
      ...ROUTED,
      moe_intermediate_size: `${inner}`,
      shared_expert_intermediate_size: `${inner}`,
      qkv_bias: "true",
      sliding_window: "null",
      use_sliding_window: "false",
    }),
  },
  "Qwen3 MoE": {
    name: "Qwen3 MoE",
    className: "Qwen3MoeForCausalLM",
    modelType: "qwen3_moe",
    from: ["qwen3"],
    fused: true,
    biases: false,
    shared: 0,
    fields: ({ experts, expertsPerToken, inner }) => ({
      num_local_experts: `${experts}`,
      num_experts_per_tok: `${expertsPerToken}`,
      ...ROUTED,
      moe_intermediate_size: `${inner}`,
    }),
  },
};

/**
 * Layout of the mixture, chosen as mergekit 0.1.5 does: Mixtral where it can be, else the first that
 * takes these models. `unsupported-architecture` with the reason of each that was asked for.
 */
export function chooseLayout(
  config: MixtureConfig,
  models: readonly MixtureModel[],
): MixtureLayout {
  const wanted = config.architecture?.toLowerCase() ?? "";
  const asked = MIXTURE_ARCHITECTURES.filter((name) => name.toLowerCase().startsWith(wanted));
  if (asked.length === 0) {
    throw new EngineError(
      "unsupported-architecture",
      `There is no output architecture "${shorten(wanted)}" here: "architecture" is the beginning of ${MIXTURE_ARCHITECTURES.join(", ")}. DeepSeek's needs code of its own to be loaded, and is not written.`,
      { architecture: wanted.slice(0, 80) },
    );
  }
  const reasons = asked.map((name) => whyNot(LAYOUTS[name], config, models));
  const chosen = asked.find((_, i) => reasons[i] === null);
  if (chosen) return LAYOUTS[chosen];
  throw new EngineError(
    "unsupported-architecture",
    `These models make no mixture. ${asked.map((name, i) => `${name}: ${reasons[i]}.`).join(" ")}`,
    { architecture: asked.join(", ") },
  );
}

/** Why a layout does not take the models; null where it does. */
function whyNot(
  { from, shared }: MixtureLayout,
  { sharedExperts, gateMode }: MixtureConfig,
  models: readonly MixtureModel[],
): string | null {
  if (sharedExperts.length !== shared) {
    return shared === 0
      ? "it has no shared experts"
      : `it has exactly one shared expert, and ${sharedExperts.length} are listed under "shared_experts"`;
  }
  if (
    gateMode !== "random" &&
    sharedExperts.some(({ positivePrompts }) => positivePrompts.length === 0)
  ) {
    return `its shared expert has a gate, and so needs "positive_prompts"`;
  }
  const [first, ...rest] = models;
  const other = rest.find(({ modelType }) => modelType !== first?.modelType);
  if (first && other) {
    return `all models must be of one architecture, but "${first.name}" is ${first.modelType ?? "unknown"} and "${other.name}" is ${other.modelType ?? "unknown"}`;
  }
  if (first && !from.includes(first.modelType ?? "")) {
    return `it is made from ${from.join(" or ")} models, not from ${first.modelType ?? "models without a config.json"}`;
  }
  return null;
}
