import type { DType } from "../../contract/index.ts";

/** A published layout: patterns of names with dtype and shape, config.json, and its stacks. */
export interface HubLayout {
  /** Repository whose names these are. */
  readonly of: string;
  /** config.json's fields that a merge reads; null for a file without one. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Shape by pattern: `{0..3}` and `{a,b}` stand for several names. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Numbered lists with their layers. */
  readonly stacks: Readonly<Record<string, number>>;
  /** Tensors that are kept as they are stored: buffers and integers. */
  readonly kept?: Readonly<Record<string, readonly [DType, readonly number[]]>>;
}

/** Names that a pattern stands for. */
export function expand(pattern: string): readonly string[] {
  const found = /\{([^{}]*)\}/.exec(pattern);
  if (!found) return [pattern];
  const [braces, inner = ""] = found;
  const range = /^(\d+)\.\.(\d+)$/.exec(inner);
  const words = range
    ? Array.from({ length: Number(range[2]) - Number(range[1]) + 1 }, (_, i) =>
        String(Number(range[1]) + i),
      )
    : inner.split(",");
  const [before, after] = [
    pattern.slice(0, found.index),
    pattern.slice(found.index + braces.length),
  ];
  return words.flatMap((word) => expand(before + word + after));
}

const H = 4;

/** Layers of Llama and its kin. */
const llama = (prefix: string, layers: number) => ({
  [`${prefix}.{0..${layers - 1}}.self_attn.{q,k,v,o}_proj.weight`]: [H, H],
  [`${prefix}.{0..${layers - 1}}.{input_layernorm,post_attention_layernorm}.weight`]: [H],
});
const gated = (prefix: string, layers: number) => ({
  ...llama(prefix, layers),
  [`${prefix}.{0..${layers - 1}}.mlp.{gate_proj,up_proj}.weight`]: [6, H],
  [`${prefix}.{0..${layers - 1}}.mlp.down_proj.weight`]: [H, 6],
});
const ends = (prefix: string) => ({
  [`${prefix}embed_tokens.weight`]: [8, H],
  [`${prefix}norm.weight`]: [H],
});
/** A tower of CLIP or SigLIP. */
const clip = (prefix: string, layers: number) => ({
  [`${prefix}embeddings.patch_embedding.weight`]: [H, 3, 2, 2],
  [`${prefix}embeddings.position_embedding.weight`]: [5, H],
  [`${prefix}encoder.layers.{0..${layers - 1}}.self_attn.{q,k,v,out}_proj.{weight}`]: [H, H],
  [`${prefix}encoder.layers.{0..${layers - 1}}.self_attn.{q,k,v,out}_proj.bias`]: [H],
  [`${prefix}encoder.layers.{0..${layers - 1}}.layer_norm{1,2}.{weight,bias}`]: [H],
  [`${prefix}encoder.layers.{0..${layers - 1}}.mlp.fc1.weight`]: [6, H],
  [`${prefix}encoder.layers.{0..${layers - 1}}.mlp.fc2.weight`]: [H, 6],
});
/** A layer of BART, Marian or Whisper. */
const bart = (prefix: string, layers: number, attentions: string) => ({
  [`${prefix}.{0..${layers - 1}}.{${attentions}}.{q,k,v,out}_proj.weight`]: [H, H],
  [`${prefix}.{0..${layers - 1}}.{${attentions}}.{q,v,out}_proj.bias`]: [H],
  [`${prefix}.{0..${layers - 1}}.{${attentions}}_layer_norm.{weight,bias}`]: [H],
  [`${prefix}.{0..${layers - 1}}.fc1.weight`]: [6, H],
  [`${prefix}.{0..${layers - 1}}.fc2.weight`]: [H, 6],
  [`${prefix}.{0..${layers - 1}}.final_layer_norm.{weight,bias}`]: [H],
});
const t5 = (half: string, layers: number, mlp: number) => ({
  [`${half}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`]: [8, 2],
  [`${half}.block.{0..${layers - 1}}.layer.0.SelfAttention.{q,k,v,o}.weight`]: [H, H],
  [`${half}.block.{0..${layers - 1}}.layer.{0..${mlp}}.layer_norm.weight`]: [H],
  [`${half}.block.{0..${layers - 1}}.layer.${mlp}.DenseReluDense.wi_{0,1}.weight`]: [6, H],
  [`${half}.block.{0..${layers - 1}}.layer.${mlp}.DenseReluDense.wo.weight`]: [H, 6],
  [`${half}.final_layer_norm.weight`]: [H],
});
const bert = (prefix: string, layers: number) => ({
  [`${prefix}embeddings.word_embeddings.weight`]: [8, H],
  [`${prefix}embeddings.position_embeddings.weight`]: [6, H],
  [`${prefix}embeddings.token_type_embeddings.weight`]: [2, H],
  [`${prefix}embeddings.LayerNorm.{weight,bias}`]: [H],
  [`${prefix}encoder.layer.{0..${layers - 1}}.attention.self.{query,key,value}.weight`]: [H, H],
  [`${prefix}encoder.layer.{0..${layers - 1}}.attention.output.{dense}.weight`]: [H, H],
  [`${prefix}encoder.layer.{0..${layers - 1}}.{attention.output,output}.LayerNorm.{weight,bias}`]: [
    H,
  ],
  [`${prefix}encoder.layer.{0..${layers - 1}}.intermediate.dense.weight`]: [6, H],
  [`${prefix}encoder.layer.{0..${layers - 1}}.output.dense.weight`]: [H, 6],
  [`${prefix}pooler.dense.weight`]: [H, H],
});
const whole = (layers: number, more: Readonly<Record<string, unknown>> = {}) => ({
  num_hidden_layers: layers,
  hidden_size: H,
  vocab_size: 8,
  ...more,
});

/** Layouts as their repositories publish them, with small axes. */
export const HUB_LAYOUTS: readonly HubLayout[] = [
  {
    of: "mistralai/Mixtral-8x7B-v0.1",
    config: whole(3, { architectures: ["MixtralForCausalLM"], model_type: "mixtral" }),
    tensors: {
      ...ends("model."),
      ...llama("model.layers", 3),
      "model.layers.{0..2}.block_sparse_moe.gate.weight": [2, H],
      "model.layers.{0..2}.block_sparse_moe.experts.{0..1}.w{1,3}.weight": [6, H],
      "model.layers.{0..2}.block_sparse_moe.experts.{0..1}.w2.weight": [H, 6],
      "lm_head.weight": [8, H],
    },
    stacks: { "model.layers": 3 },
  },
  {
    of: "Qwen/Qwen3-30B-A3B",
    config: whole(3, { architectures: ["Qwen3MoeForCausalLM"], model_type: "qwen3_moe" }),
    tensors: {
      ...ends("model."),
      ...llama("model.layers", 3),
      "model.layers.{0..2}.self_attn.{q,k}_norm.weight": [2],
      "model.layers.{0..2}.mlp.gate.weight": [2, H],
      "model.layers.{0..2}.mlp.experts.{0..1}.{gate_proj,up_proj}.weight": [6, H],
      "model.layers.{0..2}.mlp.experts.{0..1}.down_proj.weight": [H, 6],
      "lm_head.weight": [8, H],
    },
    stacks: { "model.layers": 3 },
  },
  {
    of: "Qwen/Qwen3-VL-30B-A3B-Instruct",
    config: {
      architectures: ["Qwen3VLMoeForConditionalGeneration"],
      model_type: "qwen3_vl_moe",
      text_config: whole(2),
      vision_config: { depth: 3 },
    },
    tensors: {
      ...ends("model.language_model."),
      ...llama("model.language_model.layers", 2),
      "model.language_model.layers.{0..1}.mlp.gate.weight": [2, H],
      "model.language_model.layers.{0..1}.mlp.experts.gate_up_proj": [2, H, 12],
      "model.language_model.layers.{0..1}.mlp.experts.down_proj": [2, 6, H],
      "model.visual.patch_embed.proj.{weight}": [H, 3, 2, 2, 2],
      "model.visual.pos_embed.weight": [9, H],
      "model.visual.blocks.{0..2}.attn.qkv.weight": [12, H],
      "model.visual.blocks.{0..2}.mlp.linear_fc{1,2}.weight": [H, H],
      "model.visual.blocks.{0..2}.norm{1,2}.{weight,bias}": [H],
      "model.visual.merger.{linear_fc1,linear_fc2}.weight": [H, H],
      "model.visual.deepstack_merger_list.{0..2}.linear_fc{1,2}.weight": [H, H],
      "lm_head.weight": [8, H],
    },
    stacks: { "model.language_model.layers": 2, "model.visual.blocks": 3 },
  },
  {
    of: "deepseek-ai/DeepSeek-V3",
    config: whole(3, { architectures: ["DeepseekV3ForCausalLM"], model_type: "deepseek_v3" }),
    tensors: {
      ...ends("model."),
      "model.layers.{0..3}.self_attn.{q_a_proj,q_b_proj,kv_a_proj_with_mqa,kv_b_proj,o_proj}.weight":
        [H, H],
      "model.layers.{0..3}.self_attn.{q_a_layernorm,kv_a_layernorm}.weight": [H],
      "model.layers.{0..3}.{input_layernorm,post_attention_layernorm}.weight": [H],
      "model.layers.0.mlp.{gate_proj,up_proj}.weight": [6, H],
      "model.layers.0.mlp.down_proj.weight": [H, 6],
      "model.layers.{1..3}.mlp.gate.weight": [2, H],
      "model.layers.{1..3}.mlp.gate.e_score_correction_bias": [2],
      "model.layers.{1..3}.mlp.{experts.0,experts.1,shared_experts}.{gate_proj,up_proj}.weight": [
        6,
        H,
      ],
      "model.layers.{1..3}.mlp.{experts.0,experts.1,shared_experts}.down_proj.weight": [H, 6],
      // The layer for multi-token prediction is numbered after the model's own.
      "model.layers.3.{enorm,hnorm,shared_head.norm}.weight": [H],
      "model.layers.3.eh_proj.weight": [H, 8],
      "lm_head.weight": [8, H],
    },
    stacks: { "model.layers": 3 },
  },
  {
    of: "openai/gpt-oss-20b (dequantised)",
    config: whole(2, { architectures: ["GptOssForCausalLM"], model_type: "gpt_oss" }),
    tensors: {
      ...ends("model."),
      ...llama("model.layers", 2),
      "model.layers.{0..1}.self_attn.sinks": [2],
      "model.layers.{0..1}.mlp.router.{weight}": [2, H],
      "model.layers.{0..1}.mlp.router.bias": [2],
      "model.layers.{0..1}.mlp.experts.gate_up_proj": [2, H, 12],
      "model.layers.{0..1}.mlp.experts.gate_up_proj_bias": [2, 12],
      "model.layers.{0..1}.mlp.experts.down_proj": [2, 6, H],
      "model.layers.{0..1}.mlp.experts.down_proj_bias": [2, H],
      "lm_head.weight": [8, H],
    },
    stacks: { "model.layers": 2 },
  },
  {
    of: "llava-hf/llava-1.5-7b-hf",
    config: {
      architectures: ["LlavaForConditionalGeneration"],
      model_type: "llava",
      text_config: whole(3),
      vision_config: { num_hidden_layers: 2 },
    },
    tensors: {
      ...ends("language_model.model."),
      ...gated("language_model.model.layers", 3),
      "language_model.lm_head.weight": [8, H],
      "multi_modal_projector.linear_{1,2}.weight": [H, H],
      "multi_modal_projector.linear_{1,2}.bias": [H],
      "vision_tower.vision_model.embeddings.class_embedding": [H],
      "vision_tower.vision_model.{pre_layrnorm,post_layernorm}.{weight,bias}": [H],
      ...clip("vision_tower.vision_model.", 2),
    },
    stacks: {
      "language_model.model.layers": 3,
      "vision_tower.vision_model.encoder.layers": 2,
    },
    kept: { "vision_tower.vision_model.embeddings.position_ids": ["I64", [1, 5]] },
  },
  {
    of: "Qwen/Qwen2-VL-2B-Instruct",
    config: whole(3, {
      architectures: ["Qwen2VLForConditionalGeneration"],
      model_type: "qwen2_vl",
      tie_word_embeddings: true,
      vision_config: { depth: 2 },
    }),
    tensors: {
      ...ends("model."),
      ...gated("model.layers", 3),
      "model.layers.{0..2}.self_attn.{q,k,v}_proj.bias": [H],
      "visual.patch_embed.proj.weight": [H, 3, 2, 2, 2],
      "visual.blocks.{0..1}.attn.{qkv}.weight": [12, H],
      "visual.blocks.{0..1}.attn.proj.weight": [H, H],
      "visual.blocks.{0..1}.mlp.fc{1,2}.weight": [H, H],
      "visual.blocks.{0..1}.norm{1,2}.{weight,bias}": [H],
      "visual.merger.ln_q.weight": [H],
      "visual.merger.mlp.{0,2}.weight": [H, H],
    },
    stacks: { "model.layers": 3, "visual.blocks": 2 },
  },
  {
    of: "google/t5-v1_1-small",
    config: {
      architectures: ["T5ForConditionalGeneration"],
      model_type: "t5",
      tie_word_embeddings: false,
      num_layers: 3,
      num_decoder_layers: 2,
      d_model: H,
      vocab_size: 8,
    },
    tensors: {
      "shared.weight": [8, H],
      ...t5("encoder", 3, 1),
      ...t5("decoder", 2, 2),
      "decoder.block.{0..1}.layer.1.EncDecAttention.{q,k,v,o}.weight": [H, H],
      "lm_head.weight": [8, H],
    },
    stacks: { "encoder.block": 3, "decoder.block": 2 },
  },
  {
    of: "facebook/bart-base",
    config: {
      architectures: ["BartModel"],
      model_type: "bart",
      num_hidden_layers: 3,
      d_model: H,
      vocab_size: 8,
    },
    tensors: {
      "shared.weight": [8, H],
      "{encoder,decoder}.embed_tokens.weight": [8, H],
      "{encoder,decoder}.embed_positions.weight": [8, H],
      "{encoder,decoder}.layernorm_embedding.{weight,bias}": [H],
      ...bart("encoder.layers", 3, "self_attn"),
      ...bart("decoder.layers", 2, "self_attn,encoder_attn"),
    },
    stacks: { "encoder.layers": 3, "decoder.layers": 2 },
  },
  {
    of: "openai/whisper-tiny",
    config: {
      architectures: ["WhisperForConditionalGeneration"],
      model_type: "whisper",
      num_hidden_layers: 2,
      encoder_layers: 2,
      decoder_layers: 3,
      d_model: H,
      vocab_size: 8,
    },
    tensors: {
      "model.encoder.conv{1,2}.weight": [H, H, 3],
      "model.encoder.conv{1,2}.bias": [H],
      "model.{encoder,decoder}.embed_positions.weight": [6, H],
      "model.{encoder,decoder}.layer_norm.{weight,bias}": [H],
      ...bart("model.encoder.layers", 2, "self_attn"),
      "model.decoder.embed_tokens.weight": [8, H],
      ...bart("model.decoder.layers", 3, "self_attn,encoder_attn"),
    },
    stacks: { "model.encoder.layers": 2, "model.decoder.layers": 3 },
  },
  {
    of: "google-bert/bert-base-uncased",
    config: whole(3, { architectures: ["BertForMaskedLM"], model_type: "bert" }),
    tensors: {
      ...bert("bert.", 3),
      "cls.predictions.bias": [8],
      "cls.predictions.transform.dense.weight": [H, H],
      "cls.predictions.transform.LayerNorm.{weight,bias}": [H],
      "cls.seq_relationship.weight": [2, H],
    },
    stacks: { "bert.encoder.layer": 3 },
  },
  {
    of: "sentence-transformers/all-MiniLM-L6-v2",
    config: whole(2, { architectures: ["BertModel"], model_type: "bert" }),
    tensors: bert("", 2),
    stacks: { "encoder.layer": 2 },
    kept: { "embeddings.position_ids": ["I64", [1, 6]] },
  },
  {
    of: "distilbert/distilbert-base-uncased",
    config: {
      architectures: ["DistilBertForMaskedLM"],
      model_type: "distilbert",
      n_layers: 2,
      dim: H,
      vocab_size: 8,
    },
    tensors: {
      "distilbert.embeddings.{word,position}_embeddings.weight": [8, H],
      "distilbert.transformer.layer.{0..1}.attention.{q,k,v,out}_lin.weight": [H, H],
      "distilbert.transformer.layer.{0..1}.ffn.lin{1,2}.weight": [H, H],
      "distilbert.transformer.layer.{0..1}.{sa_layer_norm,output_layer_norm}.{weight,bias}": [H],
      "vocab_transform.weight": [H, H],
      "vocab_projector.bias": [8],
    },
    stacks: { "distilbert.transformer.layer": 2 },
  },
  {
    of: "state-spaces/mamba-130m-hf",
    config: whole(3, { architectures: ["MambaForCausalLM"], model_type: "mamba" }),
    tensors: {
      "backbone.embeddings.weight": [8, H],
      "backbone.norm_f.weight": [H],
      "backbone.layers.{0..2}.norm.weight": [H],
      "backbone.layers.{0..2}.mixer.A_log": [8, 2],
      "backbone.layers.{0..2}.mixer.D": [8],
      "backbone.layers.{0..2}.mixer.conv1d.weight": [8, 1, 4],
      "backbone.layers.{0..2}.mixer.{conv1d,dt_proj}.bias": [8],
      "backbone.layers.{0..2}.mixer.{in_proj,x_proj,dt_proj,out_proj}.weight": [8, H],
    },
    stacks: { "backbone.layers": 3 },
  },
  {
    of: "RWKV/rwkv-4-169m-pile",
    config: whole(2, { architectures: ["RwkvForCausalLM"], model_type: "rwkv" }),
    tensors: {
      "rwkv.embeddings.weight": [8, H],
      "rwkv.blocks.0.pre_ln.{weight,bias}": [H],
      "rwkv.blocks.{0..1}.ln{1,2}.{weight,bias}": [H],
      "rwkv.blocks.{0..1}.attention.{time_decay,time_first}": [H],
      "rwkv.blocks.{0..1}.attention.time_mix_{key,value,receptance}": [1, 1, H],
      "rwkv.blocks.{0..1}.attention.{key,value,receptance,output}.weight": [H, H],
      "rwkv.blocks.{0..1}.feed_forward.time_mix_{key,receptance}": [1, 1, H],
      "rwkv.blocks.{0..1}.feed_forward.{key,receptance,value}.weight": [H, H],
      "rwkv.ln_out.{weight,bias}": [H],
      "head.weight": [8, H],
    },
    stacks: { "rwkv.blocks": 2 },
  },
  {
    of: "openai/clip-vit-base-patch32",
    config: {
      architectures: ["CLIPModel"],
      model_type: "clip",
      text_config: { num_hidden_layers: 2 },
      vision_config: { num_hidden_layers: 3 },
    },
    tensors: {
      logit_scale: [],
      "{text,visual}_projection.weight": [H, H],
      "text_model.embeddings.{token,position}_embedding.weight": [8, H],
      "text_model.final_layer_norm.{weight,bias}": [H],
      "text_model.encoder.layers.{0..1}.self_attn.{q,k,v,out}_proj.weight": [H, H],
      "text_model.encoder.layers.{0..1}.mlp.fc{1,2}.weight": [H, H],
      "vision_model.embeddings.class_embedding": [H],
      ...clip("vision_model.", 3),
    },
    stacks: { "text_model.encoder.layers": 2, "vision_model.encoder.layers": 3 },
    kept: { "{text,vision}_model.embeddings.position_ids": ["I64", [1, 5]] },
  },
  {
    of: "black-forest-labs/FLUX.1-dev, flux1-dev.safetensors",
    config: null,
    tensors: {
      "{img_in,txt_in}.weight": [H, H],
      "{time_in,vector_in,guidance_in}.{in_layer,out_layer}.weight": [H, H],
      "double_blocks.{0..2}.{img,txt}_attn.{qkv,proj}.weight": [H, H],
      "double_blocks.{0..2}.{img,txt}_attn.norm.{query,key}_norm.scale": [2],
      "double_blocks.{0..2}.{img,txt}_mlp.{0,2}.weight": [H, H],
      "double_blocks.{0..2}.{img,txt}_mod.lin.weight": [H, H],
      "single_blocks.{0..3}.{linear1,linear2}.weight": [H, H],
      "single_blocks.{0..3}.modulation.lin.weight": [H, H],
      "single_blocks.{0..3}.norm.{query,key}_norm.scale": [2],
      "final_layer.{linear.weight,adaLN_modulation.1.weight}": [H, H],
    },
    stacks: { double_blocks: 3, single_blocks: 4 },
  },
  {
    of: "black-forest-labs/FLUX.1-dev, transformer/",
    config: { _class_name: "FluxTransformer2DModel", num_layers: 2, num_single_layers: 3 },
    tensors: {
      "{x_embedder,context_embedder}.weight": [H, H],
      "time_text_embed.timestep_embedder.linear_{1,2}.weight": [H, H],
      "transformer_blocks.{0..1}.attn.{to_q,to_k,to_v,to_out.0,add_q_proj,to_add_out}.weight": [
        H,
        H,
      ],
      "transformer_blocks.{0..1}.attn.norm_{q,k}.weight": [2],
      "transformer_blocks.{0..1}.ff.net.{0.proj,2}.weight": [H, H],
      "transformer_blocks.{0..1}.norm1.linear.weight": [H, H],
      "single_transformer_blocks.{0..2}.{proj_mlp,proj_out,attn.to_q,norm.linear}.weight": [H, H],
      "norm_out.linear.weight": [H, H],
      "proj_out.weight": [H, H],
    },
    stacks: { transformer_blocks: 2, single_transformer_blocks: 3 },
  },
  {
    of: "stabilityai/stable-diffusion-3-medium, sd3_medium.safetensors",
    config: null,
    tensors: {
      "model.diffusion_model.x_embedder.proj.weight": [H, 4, 2, 2],
      "model.diffusion_model.pos_embed": [1, 9, H],
      "model.diffusion_model.joint_blocks.{0..2}.{context,x}_block.attn.{qkv,proj}.weight": [H, H],
      "model.diffusion_model.joint_blocks.{0..2}.{context,x}_block.mlp.fc{1,2}.weight": [H, H],
      "model.diffusion_model.joint_blocks.{0..2}.{context,x}_block.adaLN_modulation.1.weight": [
        H,
        H,
      ],
      "model.diffusion_model.final_layer.linear.weight": [H, H],
      "first_stage_model.encoder.down.{0..1}.block.{0..1}.conv{1,2}.weight": [H, H, 3, 3],
      "first_stage_model.decoder.up.{0..1}.block.{0..1}.conv{1,2}.weight": [H, H, 3, 3],
    },
    stacks: { "model.diffusion_model.joint_blocks": 3 },
  },
  {
    of: "stable-diffusion-v1-5, v1-5-pruned.safetensors",
    config: null,
    tensors: {
      "model.diffusion_model.time_embed.{0,2}.weight": [H, H],
      "model.diffusion_model.input_blocks.0.0.weight": [H, 4, 3, 3],
      "model.diffusion_model.input_blocks.{1..2}.0.{in_layers.2,out_layers.3}.weight": [H, H, 3, 3],
      "model.diffusion_model.input_blocks.{1..2}.1.transformer_blocks.0.attn{1,2}.to_{q,k,v}.weight":
        [H, H],
      "model.diffusion_model.middle_block.{0,2}.in_layers.2.weight": [H, H, 3, 3],
      "model.diffusion_model.output_blocks.{0..3}.0.in_layers.2.weight": [H, H, 3, 3],
      "cond_stage_model.transformer.text_model.encoder.layers.{0..1}.self_attn.{q,k,v,out}_proj.weight":
        [H, H],
      "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": [8, H],
      "first_stage_model.encoder.conv_in.weight": [H, 3, 3, 3],
    },
    stacks: {
      "model.diffusion_model.input_blocks": 3,
      "model.diffusion_model.output_blocks": 4,
      "cond_stage_model.transformer.text_model.encoder.layers": 2,
    },
    kept: {
      alphas_cumprod: ["F32", [10]],
      "cond_stage_model.transformer.text_model.embeddings.position_ids": ["I64", [1, 5]],
    },
  },
  {
    of: "stabilityai/stable-diffusion-xl-base-1.0, unet/",
    config: { _class_name: "UNet2DConditionModel" },
    tensors: {
      "conv_in.weight": [H, 4, 3, 3],
      "time_embedding.linear_{1,2}.weight": [H, H],
      "down_blocks.{0..2}.resnets.{0..1}.conv{1,2}.weight": [H, H, 3, 3],
      "down_blocks.{1..2}.attentions.{0..1}.transformer_blocks.{0..1}.attn{1,2}.to_{q,k,v}.weight":
        [H, H],
      "mid_block.attentions.0.transformer_blocks.{0..1}.ff.net.{0.proj,2}.weight": [H, H],
      "mid_block.resnets.{0..1}.conv{1,2}.weight": [H, H, 3, 3],
      "up_blocks.{0..2}.resnets.{0..2}.conv{1,2}.weight": [H, H, 3, 3],
      "conv_out.weight": [4, H, 3, 3],
    },
    stacks: { down_blocks: 3, up_blocks: 3 },
  },
  {
    of: "a network of no known family",
    config: null,
    tensors: {
      "stem.conv.weight": [H, 3, 3, 3],
      "trunk.stages.{0..3}.mixer.w_in": [H, H],
      "trunk.stages.{0..3}.scale": [H],
      "readout.weight": [2, H],
    },
    stacks: { "trunk.stages": 4 },
  },
];
