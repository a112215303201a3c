import { expect, test } from "vitest";
import { companionOf } from "./companions.ts";

const UP = "model.layers.0.mlp.up_proj";

test.each([
  [`${UP}.weight_scale_inv`, "scale", `${UP}.weight`],
  [`${UP}.weight_scale`, "scale", `${UP}.weight`],
  [`${UP}.weight_scale_2`, "scale", `${UP}.weight`],
  [`${UP}.input_scale`, "scale", `${UP}.weight`],
  [`${UP}.scale_weight`, "scale", `${UP}.weight`],
  [`${UP}.SCB`, "scale", `${UP}.weight`],
  [`${UP}.weight.absmax`, "scale", `${UP}.weight`],
  [`${UP}.weight.quant_map`, "table", `${UP}.weight`],
  [`${UP}.weight.quant_state.bitsandbytes__nf4`, "table", `${UP}.weight`],
  [`${UP}.qweight`, "codes", `${UP}.weight`],
  [`${UP}.qzeros`, "table", `${UP}.weight`],
  [`${UP}.scales`, "scale", `${UP}.weight`],
  [`${UP}.g_idx`, "table", `${UP}.weight`],
  [`${UP}.weight_packed`, "codes", `${UP}.weight`],
  [`${UP}.weight_shape`, "table", `${UP}.weight`],
  [
    "model.layers.0.mlp.experts.gate_up_proj_blocks",
    "codes",
    "model.layers.0.mlp.experts.gate_up_proj",
  ],
  [
    "model.layers.0.mlp.experts.gate_up_proj_scales",
    "scale",
    "model.layers.0.mlp.experts.gate_up_proj",
  ],
  [
    "model.layers.0.mlp.experts.down_proj_scale_inv",
    "scale",
    "model.layers.0.mlp.experts.down_proj",
  ],
  [`base_model.model.${UP}.lora_A.weight`, "factor", `base_model.model.${UP}.weight`],
  [`${UP}.lora_B.default.weight`, "factor", `${UP}.weight`],
  [`${UP}.lora_up.weight`, "factor", `${UP}.weight`],
  [`${UP}.base_layer.weight`, "factor", `${UP}.weight`],
  ["lm_head.modules_to_save.default.weight", "factor", "lm_head.weight"],
] as const)("%s is a %s of %s", (name, kind, weight) => {
  expect(companionOf(name)).toEqual({ kind, weight });
});

test.each([
  `${UP}.weight`,
  `${UP}.bias`,
  "logit_scale",
  "model.layers.0.layer_scale.lambda1",
  "model.norm.scale",
  "scale_shift_table",
  "weight",
])("%s stands for itself", (name) => expect(companionOf(name)).toBeNull());
