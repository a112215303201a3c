import type { MapPlace } from "../../contract/index.ts";

/** Group of a matrix or vector in the weight map. */
export type RoleGroup = MapPlace["group"];

/** Short name and group of each known name. */
type Known = Readonly<Record<string, readonly [matrix: string, group: RoleGroup]>>;

/** Names between a layer's index and `.weight` or `.bias`, by model family. */
export const IN_LAYER: Known = {
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
  // GPT-NeoX, Falcon, BLOOM
  "attention.query_key_value": ["qkv", "attention"],
  "self_attention.query_key_value": ["qkv", "attention"],
  "attention.dense": ["o", "attention"],
  "self_attention.dense": ["o", "attention"],
  "mlp.dense_h_to_4h": ["up", "mlp"],
  "mlp.dense_4h_to_h": ["down", "mlp"],
  // BERT, RoBERTa
  "attention.self.query": ["q", "attention"],
  "attention.self.key": ["k", "attention"],
  "attention.self.value": ["v", "attention"],
  "attention.output.dense": ["o", "attention"],
  "attention.output.LayerNorm": ["ln₁", "norm"],
  "intermediate.dense": ["up", "mlp"],
  "output.dense": ["down", "mlp"],
  "output.LayerNorm": ["ln₂", "norm"],
  // Mixtral and Qwen with experts
  "block_sparse_moe.gate": ["router", "mlp"],
  "mlp.gate": ["router", "mlp"],
  "mlp.shared_expert_gate": ["shared router", "mlp"],
};

/** Matrices of one expert, by their names in a dense layer. */
export const EXPERT_MATRICES: Readonly<Record<string, string>> = {
  w1: "gate",
  w2: "down",
  w3: "up",
  gate_proj: "gate",
  up_proj: "up",
  down_proj: "down",
};

/** Names outside the layers, by the last word. */
export const OUTSIDE: Known = {
  embed_tokens: ["embed", "embedding"],
  wte: ["embed", "embedding"],
  embed_in: ["embed", "embedding"],
  tok_embeddings: ["embed", "embedding"],
  word_embeddings: ["embed", "embedding"],
  wpe: ["positions", "embedding"],
  norm: ["norm", "norm"],
  ln_f: ["norm", "norm"],
  final_layer_norm: ["norm", "norm"],
  final_layernorm: ["norm", "norm"],
  lm_head: ["head", "head"],
  embed_out: ["head", "head"],
  output: ["head", "head"],
};

/** Patterns in order of priority: a norm inside an attention is a norm. */
const GUESSES: readonly (readonly [RegExp, RoleGroup])[] = [
  [/(^|[._])(ln|norm|layernorm)\w*$|norm|\bln[_.\d]/i, "norm"],
  [/attn|attention|rotary|(^|\.)[qkvo]_proj/i, "attention"],
  [/mlp|ffn|feed_forward|fc\d|expert|moe/i, "mlp"],
  [/embed|wte|wpe/i, "embedding"],
  [/head/i, "head"],
];

/** Group of names that no known family uses. */
export function guessGroup(words: string): RoleGroup {
  return GUESSES.find(([pattern]) => pattern.test(words))?.[1] ?? "other";
}

/** Own entry of a table, or null: names such as `constructor` are data. */
export function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | null {
  return Object.hasOwn(table, key) ? table[key]! : null;
}
