import { companionOf } from "./companions.ts";
import { EXPERT_MATRICES, guessGroup, IN_LAYER, lookUp, OUTSIDE, type RoleGroup } from "./words.ts";

/**
 * The part of a model that a tensor belongs to. `text` is the language model itself (and whatever
 * has no other name), `encoder` and `decoder` the halves of T5 or BART, `draft` layers that predict
 * further tokens (MTP, EAGLE), `unet` the blocks of an image model.
 */
export type Stack =
  | "text"
  | "vision"
  | "audio"
  | "projector"
  | "encoder"
  | "decoder"
  | "talker"
  | "draft"
  | "unet";

/**
 * `buffer`: computed from the configuration, never learned (rotary frequencies, causal masks,
 * positions). `companion`: belongs to a quantised or factored weight, see `companionOf`.
 */
export type Part = "weight" | "bias" | "buffer" | "companion";

/** What a tensor is, told from its name alone. */
export interface TensorRole {
  readonly stack: Stack;
  /** The numbered list that it stands in, `model.layers`; null beside the layers. */
  readonly list: string | null;
  /** Its number there, counted from 0. */
  readonly layer: number | null;
  /** The words behind that number, `self_attn.q_proj`; beside the layers the whole stem. */
  readonly inside: string;
  readonly group: RoleGroup;
  /** `q`, `gate`, `ln₁`, `embed`, `up #12`; null where no known family uses the name. */
  readonly matrix: string | null;
  readonly part: Part;
  /** The last word where it is not `weight`: `bias`, `inv_freq`, `weight_scale`. */
  readonly suffix: string;
}

/** Words on the way to a tensor that tell its stack, the most telling first. */
const STACKS: readonly (readonly [Stack, RegExp])[] = [
  [
    "projector",
    /(^|\.)(multi_modal_|mm_|modality_)?(projector|connector|merger|aligner|resampler|perceiver|q_?former)(\.|$)/i,
  ],
  ["vision", /vision|visual|image|(^|\.)(vpm|vit|img_in)(\.|$)/],
  ["audio", /audio|speech|(^|\.)(apm|whisper)(\.|$)/],
  ["talker", /(^|\.)(talker|token2wav)(\.|$)/],
  ["draft", /(^|\.)(mtp|mtp_\w+|nextn|eagle|medusa_head)(\.|$)/],
  [
    "unet",
    /(^|\.)((down|up|input|output|double|single|joint|transformer)_blocks|mid(dle)?_block|single_transformer_blocks|time_embed\w*|first_stage_model|vae)(\.|$)/,
  ],
  ["encoder", /(^|\.)encoder(\.|$)/],
  ["decoder", /(^|\.)decoder(\.|$)/],
];

/** Lists that are stacks of layers whatever follows; others are where a module and its part follow. */
const LAYER_LIST = /^(layers?|h|blocks?|resblocks)$/;
const EXPERT = /^(?:block_sparse_moe|mlp)\.experts\.(\d+)\.(\w+)$/;

const BUFFERS: readonly RegExp[] = [
  /(^|\.)(original_)?inv_freq$/,
  /(^|\.)(masked_bias|position_ids|token_type_ids|relative_position_index|causal_mask)$/,
  /(^|\.)(cos|sin)_cached$/,
  /(^|\.)num_batches_tracked$/,
  // The causal mask of GPT-2, GPT-J and GPT-NeoX: their matrices have names of their own.
  /(^|\.)(attn|attention|self_attn|self_attention|crossattention)(\.attention)?\.bias$/,
  // The noise schedule of a diffusion model, at the root of its file.
  /^(betas|alphas_cumprod(_prev)?|(sqrt|log)_\w*alphas_cumprod\w*|posterior_(variance|log_variance_clipped|mean_coef[12]))$/,
  /^model_ema\.(decay|num_updates)$/,
];

const TOKEN_EMBEDDING =
  /(^|\.)(embed_tokens|wte|tok_embeddings|embed_in|word_embeddings|token_embedding|embeddings?|shared|emb|token_embd)\.weight$/;
const HEAD =
  /(^|\.)(lm_head(\.decoder)?|embed_out|output_layer|predictions\.decoder)\.(weight|bias)$|^(model\.)?output\.(weight|bias)$|^head\.weight$/;

const WITHOUT_TOKENS: readonly Stack[] = ["vision", "audio", "projector", "unet"];

/** True for the matrix with one row a token at the model's entrance. */
export function isTokenEmbedding(tensor: string): boolean {
  return TOKEN_EMBEDDING.test(tensor) && !WITHOUT_TOKENS.includes(stackOf(tensor));
}

/** True for the matrix that turns hidden states into logits, one row a token. */
export function isHead(tensor: string): boolean {
  return HEAD.test(tensor) && tensor.endsWith(".weight");
}

/** True where the first axis counts tokens. */
export function countsTokens(tensor: string): boolean {
  return isTokenEmbedding(tensor) || HEAD.test(tensor);
}

/** True for what is computed from the configuration and never learned. */
export function isBuffer(tensor: string): boolean {
  return BUFFERS.some((pattern) => pattern.test(tensor));
}

/** The name under which transformers stores the head of a model with this token embedding. */
export function headBeside(embedding: string): string {
  if (/(^|\.)embed_in\.weight$/.test(embedding)) return "embed_out.weight";
  const outer = /^(language_model|text_model)\.model\./.exec(embedding);
  return outer ? `${outer[1]}.lm_head.weight` : "lm_head.weight";
}

/** What a tensor is, told from its name alone. */
export function roleOf(name: string): TensorRole {
  const { stem, suffix } = splitSuffix(name);
  const place = findLayer(name);
  // Inside a layer its list tells: a text layer may well have a `vision_gate`.
  const stack = stackOf(place?.list ?? stem);
  const part = partOf(name, suffix);
  if (!place) {
    const words = stem.split(".");
    const known = stack === "text" ? lookUp(OUTSIDE, words.at(-1) ?? stem) : null;
    const [matrix, group] = known ?? [null, guessGroup(stem)];
    return { stack, list: null, layer: null, inside: stem, group, matrix, part, suffix };
  }
  const { list, layer } = place;
  const inside = stem.slice(list.length + 2 + String(place.digits).length);
  const [matrix, group] = lookUp(IN_LAYER, inside) ??
    placeExpert(inside) ?? [null, guessGroup(inside)];
  return { stack, list, layer, inside, group, matrix, part, suffix };
}

/** The key of the layer that a tensor belongs to, `model.layers.3`, or null beside the layers. */
export function layerKey(tensor: string): string | null {
  const place = findLayer(tensor);
  return place && `${place.list}.${place.digits}`;
}

/**
 * The key of a tensor's module: attention, feed-forward or a norm of its layer; beside the layers
 * each tensor is a module of its own (FuseChat/merge/VaRM/analysis.py).
 */
export function moduleKey(tensor: string): string {
  const key = layerKey(tensor);
  if (key === null) return tensor;
  return `${key}.${tensor.slice(key.length + 1).split(".")[0]}`;
}

/**
 * The first number on a tensor's way that counts layers. The numbers of a projector's Sequential
 * (`mm_projector.0.weight`) count steps, not layers.
 */
function findLayer(name: string): { list: string; digits: string; layer: number } | null {
  const words = name.split(".");
  for (let at = 1; at < words.length - 1; at++) {
    const digits = words[at]!;
    if (!/^\d{1,6}$/.test(digits)) continue;
    if (!LAYER_LIST.test(words[at - 1]!) && words.length - at < 3) return null;
    return { list: words.slice(0, at).join("."), digits, layer: Number(digits) };
  }
  return null;
}

function stackOf(name: string): Stack {
  return STACKS.find(([, pattern]) => pattern.test(name))?.[0] ?? "text";
}

function placeExpert(inside: string): readonly [string, RoleGroup] | null {
  const [, number, matrix] = EXPERT.exec(inside) ?? [];
  if (number === undefined || matrix === undefined) return null;
  return [`${lookUp(EXPERT_MATRICES, matrix) ?? matrix} #${number}`, "mlp"];
}

function partOf(name: string, suffix: string): Part {
  if (isBuffer(name)) return "buffer";
  if (suffix === "bias") return "bias";
  return companionOf(name) ? "companion" : "weight";
}

/** `x.weight` is x; a known other last word says what it is of x. */
function splitSuffix(name: string): { readonly stem: string; readonly suffix: string } {
  const at = name.lastIndexOf(".");
  const last = name.slice(at + 1);
  if (at > 0 && last === "weight") return { stem: name.slice(0, at), suffix: "" };
  if (at > 0 && /^(bias|masked_bias|inv_freq|weight_\w+)$/.test(last)) {
    return { stem: name.slice(0, at), suffix: last };
  }
  return { stem: name, suffix: "" };
}
