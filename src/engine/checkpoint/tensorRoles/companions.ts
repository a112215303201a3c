/**
 * What belongs to a quantised or factored weight. `scale`: numbers that the stored codes are
 * multiplied with. `codes`: the codes themselves where they do not lie under the weight's own name.
 * `table`: zero points, code books, orders of columns, packed states. `factor`: low-rank factors of
 * an adapter that was not merged, and the weights that it wraps.
 */
export type CompanionKind = "scale" | "codes" | "table" | "factor";

export interface Companion {
  readonly kind: CompanionKind;
  /** Full name of the weight: `model.layers.0.mlp.up_proj.weight`. */
  readonly weight: string;
}

/** Pattern whose first group is the weight's stem, to which `weight` is appended. */
type Spelling = readonly [kind: CompanionKind, pattern: RegExp, weight: string];

const SPELLINGS: readonly Spelling[] = [
  // DeepSeek, Qwen and Mistral in FP8; compressed-tensors; ModelOpt; torchao
  ["scale", /^(.+\.)weight_(scale_inv|scale(_\d)?|global_scale|block_scale)$/, "weight"],
  ["scale", /^(.+\.)(input|output|activation)_(scale(_inv)?|global_scale|amax)$/, "weight"],
  ["scale", /^(.+\.)qscale_(weight|act)$/, "weight"],
  ["table", /^(.+\.)weight_(zero_point|g_idx|shape|qdata|zero)$/, "weight"],
  ["codes", /^(.+\.)weight_packed$/, "weight"],
  // ComfyUI's scaled FP8
  ["scale", /^(.+\.)(scale_weight|scale_input)$/, "weight"],
  // bitsandbytes: int8 and 4-bit
  ["scale", /^(.+\.)(SCB|weight\.SCB)$/, "weight"],
  ["scale", /^(.+\.weight)\.(absmax|nested_absmax)$/, ""],
  ["table", /^(.+\.weight)\.(quant_map|nested_quant_map|quant_state\.\w+)$/, ""],
  ["table", /^(.+\.)weight_format$/, "weight"],
  // GPTQ, AWQ, HQQ
  ["codes", /^(.+\.)(qweight|W_q)$/, "weight"],
  ["scale", /^(.+\.)(scales)$/, "weight"],
  ["table", /^(.+\.)(qzeros|g_idx)$/, "weight"],
  // quanto
  ["codes", /^(.+\.weight)\._data$/, ""],
  ["scale", /^(.+\.weight)\._scale$/, ""],
  // GPT-OSS in MXFP4, and experts kept as one tensor without a last word of their own
  ["codes", /^(.+\.experts\.\w+)_blocks$/, ""],
  ["scale", /^(.+\.experts\.\w+?)_(scales|scale_inv|scale)$/, ""],
  // PEFT, kohya and LyCORIS, not merged into the weights
  [
    "factor",
    /^(.+\.)lora_(?:A|B|embedding_A|embedding_B|magnitude_vector)(?:\.[\w-]+)?(?:\.weight)?$/,
    "weight",
  ],
  ["factor", /^(.+\.)lora_(?:up|down|mid)\.weight$/, "weight"],
  [
    "factor",
    /^(.+\.)(?:hada_w[12]_[ab]|hada_t[12]|lokr_w[12](?:_[ab])?|lokr_t2|dora_scale)$/,
    "weight",
  ],
  ["factor", /^(.+\.)base_layer\.(weight|bias)$/, "weight"],
  ["factor", /^(.+\.)(?:modules_to_save\.[\w-]+|original_module)\.(weight|bias)$/, "weight"],
];

/**
 * Weight that a tensor belongs to, and its role; null for independent tensors. Whether the weight
 * is quantised depends on its dtype, not on names.
 */
export function companionOf(tensor: string): Companion | null {
  for (const [kind, pattern, weight] of SPELLINGS) {
    const stem = pattern.exec(tensor)?.[1];
    if (stem !== undefined) return { kind, weight: stem + weight };
  }
  return null;
}
