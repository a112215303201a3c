/**
 * Part of a module's change that a tensor holds: the factors A and B, those of an embedding, the
 * bias of B, DoRA's magnitudes, rows of single tokens, or the `whole` tensor, whose name in the
 * model then stands for the module's.
 */
export type AdapterPart =
  | "a"
  | "b"
  | "embeddingA"
  | "embeddingB"
  | "bias"
  | "magnitude"
  | "rows"
  | "whole";

/** PEFT's wrappers around the model. */
const PREFIX = /^base_model\.model\./;
/** A tensor may keep its adapter's name, `lora_A.default.weight`, where PEFT did not write it. */
const PARTS: readonly (readonly [part: AdapterPart, pattern: RegExp])[] = [
  ["a", /^(.+)\.lora_A(?:\.[\w-]+)?\.weight$/],
  ["b", /^(.+)\.lora_B(?:\.[\w-]+)?\.weight$/],
  ["bias", /^(.+)\.lora_B(?:\.[\w-]+)?\.bias$/],
  ["embeddingA", /^(.+)\.lora_embedding_A(?:\.[\w-]+)?$/],
  ["embeddingB", /^(.+)\.lora_embedding_B(?:\.[\w-]+)?$/],
  ["magnitude", /^(.+)\.lora_magnitude_vector(?:\.[\w-]+)*$/],
  ["rows", /^(.+)\.token_adapter\.trainable_tokens_delta(?:\.[\w-]+)?$/],
];
/** Parts of other adapters, and of LoRA's kinds that are not read. */
const FOREIGN =
  /(^|\.)(lora_\w+|ia3_\w+|hada_\w+|lokr_\w+|oft_\w+|vera_\w+|prompt_\w+|token_adapter|trainable_tokens_\w+|original_module)(\.|$)/;

/** Module and part of an adapter's tensor by its name; null for a foreign one. */
export function partOf(
  name: string,
): { readonly module: string; readonly part: AdapterPart } | null {
  const inside = name.replace(PREFIX, "");
  for (const [part, pattern] of PARTS) {
    const module = pattern.exec(inside)?.[1];
    // A wrapper within a wrapper: factors of a parameter of fused experts.
    if (module !== undefined) return module.endsWith(".base_layer") ? null : { module, part };
  }
  if (FOREIGN.test(inside)) return null;
  const module = inside.replace(/\.(base_layer|modules_to_save(\.default)?)\./, ".");
  return { module, part: "whole" };
}
