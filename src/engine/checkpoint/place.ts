import type { MapPlace } from "../contract/index.ts";

type Group = MapPlace["group"];
type Known = Readonly<Record<string, readonly [column: string, group: Group]>>;

/** What stands between the layer's number and `.weight` or `.bias`, by the families that use it. */
const IN_LAYER: Known = {
  // Llama, Mistral, Qwen, Gemma
  "self_attn.q_proj": ["q", "attention"],
  "self_attn.k_proj": ["k", "attention"],
  "self_attn.v_proj": ["v", "attention"],
  "self_attn.o_proj": ["o", "attention"],
  "self_attn.q_norm": ["q norm", "norm"],
  "self_attn.k_norm": ["k norm", "norm"],
  "mlp.gate_proj": ["gate", "mlp"],
  "mlp.up_proj": ["up", "mlp"],
  "mlp.down_proj": ["down", "mlp"],
  input_layernorm: ["ln₁", "norm"],
  post_attention_layernorm: ["ln₂", "norm"],
  pre_feedforward_layernorm: ["ln₃", "norm"],
  post_feedforward_layernorm: ["ln₄", "norm"],
  // Phi-3 and Phi-2
  "self_attn.qkv_proj": ["qkv", "attention"],
  "mlp.gate_up_proj": ["gate·up", "mlp"],
  "self_attn.dense": ["o", "attention"],
  "mlp.fc1": ["up", "mlp"],
  "mlp.fc2": ["down", "mlp"],
  // GPT-2
  "attn.c_attn": ["qkv", "attention"],
  "attn.c_proj": ["o", "attention"],
  "mlp.c_fc": ["up", "mlp"],
  "mlp.c_proj": ["down", "mlp"],
  ln_1: ["ln₁", "norm"],
  ln_2: ["ln₂", "norm"],
  // GPT-NeoX
  "attention.query_key_value": ["qkv", "attention"],
  "attention.dense": ["o", "attention"],
  "mlp.dense_h_to_4h": ["up", "mlp"],
  "mlp.dense_4h_to_h": ["down", "mlp"],
  // Mixtral and Qwen with experts
  "block_sparse_moe.gate": ["router", "mlp"],
  "mlp.gate": ["router", "mlp"],
  "mlp.shared_expert_gate": ["shared router", "mlp"],
};

/** Outside the stack of layers, by the last words. */
const OUTSIDE: Known = {
  embed_tokens: ["embed", "embedding"],
  wte: ["embed", "embedding"],
  embed_in: ["embed", "embedding"],
  tok_embeddings: ["embed", "embedding"],
  wpe: ["positions", "embedding"],
  norm: ["norm", "norm"],
  ln_f: ["norm", "norm"],
  final_layer_norm: ["norm", "norm"],
  final_layernorm: ["norm", "norm"],
  lm_head: ["head", "head"],
  embed_out: ["head", "head"],
  output: ["head", "head"],
};

const EXPERT_MATRICES: Readonly<Record<string, string>> = {
  w1: "gate",
  w2: "down",
  w3: "up",
  gate_proj: "gate",
  up_proj: "up",
  down_proj: "down",
};

const LAYER = /^(.*?)(?:^|\.)(?:layers|h|blocks?|layer)\.(\d{1,6})\.(.+)$/;
const EXPERT = /^(?:block_sparse_moe|mlp)\.experts\.(\d+)\.(\w+)$/;
/** Stacks beside the language model's own, whose layers would fall on the same cells. */
const OTHER_STACK = /(vision|visual|audio|encoder|decoder|image|speech)/;

/** In this order: a norm inside an attention is a norm. */
const GUESSES: readonly (readonly [RegExp, Group])[] = [
  [/(^|[._])(ln|norm|layernorm)\w*$|norm|\bln[_.\d]/i, "norm"],
  [/attn|attention|rotary|(^|\.)[qkvo]_proj/i, "attention"],
  [/mlp|ffn|feed_forward|fc\d|expert|moe/i, "mlp"],
  [/embed|wte|wpe/i, "embedding"],
  [/head/i, "head"],
];

/**
 * Where a tensor stands in the weight map, told from its name alone: layer, short column, group.
 * Names that no known family uses keep their own words, so that no two tensors share a cell.
 */
export function placeTensor(name: string): MapPlace {
  const { stem, suffix } = splitSuffix(name);
  const inLayer = LAYER.exec(stem);
  if (!inLayer) {
    const words = stem.split(".");
    const known = find(OUTSIDE, words.at(-1) ?? stem);
    const other = OTHER_STACK.test(stem);
    const [column, group] =
      known && !other ? known : [words.slice(other ? 0 : -2).join(" "), guessGroup(stem)];
    return { layer: null, column: withSuffix(column, suffix), group };
  }
  const [, before = "", number, rest = ""] = inLayer;
  const [column, group] = find(IN_LAYER, rest) ??
    placeExpert(rest) ?? [rest.replaceAll(".", " "), guessGroup(rest)];
  const stack = OTHER_STACK.exec(before)?.[1];
  return {
    layer: Number(number),
    column: withSuffix(stack ? `${stack} ${column}` : column, suffix),
    group,
  };
}

function placeExpert(rest: string): readonly [string, Group] | null {
  const [, number, matrix] = EXPERT.exec(rest) ?? [];
  if (number === undefined || matrix === undefined) return null;
  return [`${find(EXPERT_MATRICES, matrix) ?? matrix} #${number}`, "mlp"];
}

/** `x.weight` is x; every other last word says what it is of x. */
function splitSuffix(name: string): { readonly stem: string; readonly suffix: string } {
  const at = name.lastIndexOf(".");
  const last = name.slice(at + 1);
  if (at > 0 && last === "weight") return { stem: name.slice(0, at), suffix: "" };
  if (at > 0 && /^(bias|masked_bias|inv_freq|weight_\w+)$/.test(last)) {
    return { stem: name.slice(0, at), suffix: last };
  }
  return { stem: name, suffix: "" };
}

function withSuffix(column: string, suffix: string): string {
  return suffix === "" ? column : `${column} ${suffix}`;
}

function guessGroup(words: string): Group {
  return GUESSES.find(([pattern]) => pattern.test(words))?.[1] ?? "other";
}

function find<T>(table: Readonly<Record<string, T>>, key: string): T | null {
  return Object.hasOwn(table, key) ? table[key]! : null;
}
