import type { DType } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";
import { mergeRole } from "../../core/tensor/dtype.ts";
import { float8Table } from "../../core/tensor/float8.ts";
import type { CheckpointTensor, ModelConfig, QuantisedWeights } from "../checkpoint.ts";
import { companionOf } from "../tensorRoles/companions.ts";
import { nameFormat, type OwnCompanion, refuseFactors, refuseFormat } from "./describeQuantised.ts";
import { findScaleBlocks } from "./scaleBlocks.ts";
import { openScaled, type ScaledWeight } from "./scaledSource.ts";

/** Scales of activations and of the cache, which dequantising a weight does not need. */
const ACTIVATION =
  /(^|[._])((input|output|activation|act)_(scale(_inv|_ub)?|global_scale|amax|zero_point)|scale_input|qscale_act|[qkv]_scale|kv_scale|attn_scale|prob_output_scale)$|(^|\.)(scaled_fp8|comfy_quant)$/;
/** Scales that codes are multiplied with; other scales belong to formats with several. */
const WEIGHT_SCALE =
  /(^|[._])(weight_scale_inv|weight_scale|scale_weight|qscale_weight)$|_scale(_inv)?$/;

/**
 * Tensors of a checkpoint after dequantisation, with the reasons for those that remain quantised.
 */
export interface Dequantised {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly quantised: readonly QuantisedWeights[];
}

/**
 * Finds quantised and factored weights by their dtypes and companions, whatever config.json says of
 * them. 8-bit floats with scales become float32 tensors that are dequantised as they are read, and
 * their companions are gone; every other kind stays as it is stored, with its refusal.
 */
export function dequantise(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  config: ModelConfig | null,
): Dequantised {
  const companions = groupCompanions(tensors);
  const settings = quantisationSettings(config);
  const stated = settings.map(({ weight_block_size: size }) => size).find(isCounts) ?? [];
  const kinds = new Map<string, { format: string; names: string[]; refusal: string | null }>();
  const note = (format: string, name: string, refusal: string | null) => {
    const kind = kinds.get(format) ?? { format, names: [], refusal };
    kind.names.push(name);
    kinds.set(format, kind);
  };
  const result = new Map(tensors);
  let isScaled = false;
  for (const [name, own] of companions) {
    const weight = tensors.get(name);
    if (own.some(({ kind }) => kind === "factor")) {
      note("adapter", name, refuseFactors(name));
      continue;
    }
    if (weight && float8Table(weight.dtype)) {
      const scaled = scaleWeight(weight, own, stated);
      isScaled = true;
      if (typeof scaled === "string") {
        note(scaled, name, refuseFormat(scaled));
        continue;
      }
      note("FP8 with scales", name, null);
      result.set(name, dequantisedTensor(scaled));
      for (const { tensor } of own) result.delete(tensor.name);
    } else if (own.some(({ kind }) => kind === "codes") || (weight && isInteger(weight.dtype))) {
      const format = nameFormat(own, weight, settings);
      note(format, name, refuseFormat(format));
    }
  }
  for (const [name, weight] of tensors) {
    if (companions.has(name)) continue;
    if (isScaled && isActivationScale(weight)) result.delete(name);
    if (isLoneCode(weight, isScaled || settings.length > 0)) {
      const format = float8Table(weight.dtype)
        ? "FP8 without its scales"
        : `${weight.dtype} codes without scales`;
      note(format, name, refuseFormat(format));
    }
  }
  const quantised = [...kinds.values()].map(({ format, names, refusal }) => {
    return { format, count: names.length, example: names[0]!, refusal };
  });
  return { tensors: result, quantised };
}

function groupCompanions(
  tensors: ReadonlyMap<string, CheckpointTensor>,
): ReadonlyMap<string, readonly OwnCompanion[]> {
  const groups = new Map<string, OwnCompanion[]>();
  for (const tensor of tensors.values()) {
    const companion = companionOf(tensor.name);
    if (!companion || ACTIVATION.test(tensor.name)) continue;
    const group = groups.get(companion.weight) ?? [];
    group.push({ ...companion, tensor });
    groups.set(companion.weight, group);
  }
  return groups;
}

/** An 8-bit weight with its scales, or a phrase where they do not fit it. */
function scaleWeight(
  codes: CheckpointTensor,
  own: readonly OwnCompanion[],
  stated: readonly number[],
): ScaledWeight | string {
  const [first, ...others] = own as readonly [OwnCompanion, ...OwnCompanion[]];
  const { tensor: scale } = first;
  if (others.length > 0 || first.kind !== "scale" || !WEIGHT_SCALE.test(scale.name)) {
    return "FP8 with scales of several kinds or zero points";
  }
  const role = mergeRole(scale.dtype);
  const blocks = findScaleBlocks(codes.shape, scale.shape, stated);
  if (!blocks || (role !== "gpu" && role !== "convert")) {
    return "FP8 with scales that fit no blocks of the weight";
  }
  return { codes, scale, blocks };
}

function dequantisedTensor(weight: ScaledWeight): CheckpointTensor {
  const { codes } = weight;
  const as = (dtype: "F32" | "BF16"): CheckpointTensor => {
    const source = openScaled(weight, dtype);
    return { ...codes, dtype, byteLength: source.byteLength, source, start: 0 };
  };
  const { dtype, byteLength } = codes;
  return { ...as("F32"), quantised: { dtype, byteLength, rounded: as("BF16") } };
}

/** Whether a tensor is an activation's scale: one number, or an empty marker. */
function isActivationScale({ name, elementCount }: CheckpointTensor): boolean {
  return ACTIVATION.test(name) && (elementCount <= 2 || name.endsWith("comfy_quant"));
}

/** Whether a weight is stored as codes without any companion. */
function isLoneCode({ name, dtype, shape }: CheckpointTensor, quantised: boolean): boolean {
  if (shape.length < 2 || companionOf(name)) return false;
  if (float8Table(dtype)) return quantised;
  return isInteger(dtype) && name.endsWith(".weight");
}

/** Codes of fewer than 8 bits, and integers. */
function isInteger(dtype: DType): boolean {
  const role = mergeRole(dtype);
  return role === "describe" ? dtype !== "C64" : role === "copy" && dtype !== "BOOL";
}

/** Every object in config.json that describes a quantisation. */
function quantisationSettings(
  config: ModelConfig | null,
): readonly Readonly<Record<string, unknown>>[] {
  const inner = config?.fields.text_config;
  return [config?.fields, isObject(inner) ? inner : undefined].flatMap((fields) =>
    ["quantization_config", "compression_config", "quantization"].flatMap((key) => {
      const value = fields?.[key];
      return isObject(value) ? [value] : [];
    }),
  );
}

function isCounts(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= 8 &&
    value.every((one) => Number.isSafeInteger(one) && one > 0)
  );
}
