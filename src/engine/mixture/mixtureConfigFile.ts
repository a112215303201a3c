import type { ModelConfig } from "../checkpoint/checkpoint.ts";
import { type ConfigField, parseConfig, rewriteConfig } from "../checkpoint/config.ts";
import type { OutputDType } from "../contract/index.ts";
import type { MixtureLayout } from "./architectures.ts";

/**
 * What transformers assumes of a dense model's config where it says nothing, as JSON; a mixture's
 * class assumes otherwise, so it is said there.
 */
const UNSAID: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  llama: { max_position_embeddings: "2048", bos_token_id: "1", eos_token_id: "2" },
  mistral: {
    max_position_embeddings: "131072",
    num_key_value_heads: "8",
    bos_token_id: "1",
    eos_token_id: "2",
  },
  qwen2: { max_position_embeddings: "32768", num_key_value_heads: "32" },
  qwen3: { max_position_embeddings: "32768", num_key_value_heads: "32", head_dim: "128" },
};

/** The base's config.json as the mixture's, with everything else in its own spelling. */
export function mixtureConfigFile(
  base: ModelConfig,
  layout: MixtureLayout,
  about: Parameters<MixtureLayout["fields"]>[0] & { readonly dtype: OutputDType },
): ModelConfig {
  const stated = {
    architectures: JSON.stringify([layout.className]),
    model_type: JSON.stringify(layout.modelType),
    ...layout.fields(about),
    ...withoutWindows(base, layout),
  };
  const unsaid = Object.entries(assumed(base)).filter(
    ([key]) => !Object.hasOwn(base.fields, key) && !Object.hasOwn(stated, key),
  );
  const fields = [...Object.entries(stated), ...unsaid].map(
    ([key, json]): ConfigField => ({ path: "", key, json }),
  );
  return parseConfig(rewriteConfig(base.text, { fields, dtype: about.dtype }), "config.json");
}

function assumed({ modelType, fields }: ModelConfig): Readonly<Record<string, string>> {
  return {
    ...(Object.hasOwn(fields, "rope_parameters") ? {} : { rope_theta: "10000.0" }),
    rms_norm_eps: "1e-06",
    num_key_value_heads: JSON.stringify(fields.num_attention_heads ?? null),
    ...UNSAID[modelType ?? ""],
  };
}

/** Qwen2-MoE is written without sliding windows, so that none of its layers may ask for one. */
function withoutWindows({ fields }: ModelConfig, { modelType }: MixtureLayout) {
  if (modelType !== "qwen2_moe" || !Array.isArray(fields.layer_types)) return {};
  return { layer_types: JSON.stringify(fields.layer_types.map(() => "full_attention")) };
}
