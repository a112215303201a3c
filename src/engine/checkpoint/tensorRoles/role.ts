import { companionOf } from "./companions.ts";
import { EXPERT_MATRICES, guessGroup, IN_LAYER, lookUp, OUTSIDE, type RoleGroup } from "./words.ts";

/**
 * Stack of a tensor: `text` is the language model itself (and the default), `encoder` and `decoder`
 * the halves of T5 or BART, `draft` layers for multi-token prediction (MTP, EAGLE), `unet` the
 * blocks of an image model.
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
 * Kind of a tensor. `buffer`: computed from the configuration, not learned (rotary frequencies,
 * causal masks, positions). `companion`: belongs to a quantised or factored weight, see
 * `companionOf`.
 */
export type TensorPart = "weight" | "bias" | "buffer" | "companion";

/** Role of a tensor, from its name alone. */
export interface TensorRole {
  readonly stack: Stack;
  /** Numbered list that it is in, `model.layers`; null outside the layers. */
  readonly list: string | null;
  /** Its index there, from 0. */
  readonly layer: number | null;
  /** Words after that index, `self_attn.q_proj`; outside the layers the whole stem. */
  readonly inside: string;
  readonly group: RoleGroup;
  /** `q`, `gate`, `ln₁`, `embed`, `up #12`; null for an unknown name. */
  readonly matrix: string | null;
  readonly part: TensorPart;
  /** Last word where it is not `weight`: `bias`, `inv_freq`, `weight_scale`. */
  readonly suffix: string;
}

/** Words in a name that identify its stack, the most specific first. */
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

/** Lists that always are stacks of layers; others only where a module and its part follow. */
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

/** Whether a tensor is a token embedding: one row per token. */
export function isTokenEmbedding(tensor: string): boolean {
  return TOKEN_EMBEDDING.test(tensor) && !WITHOUT_TOKENS.includes(stackOf(tensor));
}

/** Whether a tensor is a language-model head: one row per token. */
export function isHead(tensor: string): boolean {
  return HEAD.test(tensor) && tensor.endsWith(".weight");
}

/** Whether a tensor's first axis counts tokens. */
export function countsTokens(tensor: string): boolean {
  return isTokenEmbedding(tensor) || HEAD.test(tensor);
}

/** Whether a tensor is computed from the configuration, not learned. */
export function isBuffer(tensor: string): boolean {
  return BUFFERS.some((pattern) => pattern.test(tensor));
}

/** Name under which transformers stores the head of a model with this token embedding. */
export function headBeside(embedding: string): string {
  if (/(^|\.)embed_in\.weight$/.test(embedding)) return "embed_out.weight";
  const outer = /^(language_model|text_model)\.model\./.exec(embedding);
  return outer ? `${outer[1]}.lm_head.weight` : "lm_head.weight";
}

/** Role of a tensor, from its name alone. */
export function roleOf(name: string): TensorRole {
  const { stem, suffix } = splitSuffix(name);
  const place = findLayer(name);
  // Inside a layer the list decides: a text layer may have a `vision_gate`.
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

/** Key of a tensor's layer, `model.layers.3`; null outside the layers. */
export function layerKey(tensor: string): string | null {
  const place = findLayer(tensor);
  return place && `${place.list}.${place.digits}`;
}

/**
 * Key of a tensor's module: attention, feed-forward or a norm of its layer; outside the layers each
 * tensor is a module of its own (FuseChat/merge/VaRM/analysis.py).
 */
export function moduleKey(tensor: string): string {
  const key = layerKey(tensor);
  if (key === null) return tensor;
  return `${key}.${tensor.slice(key.length + 1).split(".")[0]}`;
}

/**
 * Layer index in a tensor's name: the first number that counts layers. The numbers of a projector's
 * Sequential (`mm_projector.0.weight`) do not.
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

function partOf(name: string, suffix: string): TensorPart {
  if (isBuffer(name)) return "buffer";
  if (suffix === "bias") return "bias";
  return companionOf(name) ? "companion" : "weight";
}

/** Stem and suffix of a name: `x.weight` has the stem x, and so have known other suffixes. */
function splitSuffix(name: string): { readonly stem: string; readonly suffix: string } {
  const at = name.lastIndexOf(".");
  const last = name.slice(at + 1);
  if (at > 0 && last === "weight") return { stem: name.slice(0, at), suffix: "" };
  if (at > 0 && /^(bias|masked_bias|inv_freq|weight_\w+)$/.test(last)) {
    return { stem: name.slice(0, at), suffix: last };
  }
  return { stem: name, suffix: "" };
}
