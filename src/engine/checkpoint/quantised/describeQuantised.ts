import type { CheckpointTensor, QuantisedWeights } from "../checkpoint.ts";
import type { Companion } from "../tensorRoles/companions.ts";

/** A companion tensor with its role. */
export interface OwnCompanion extends Companion {
  readonly tensor: CheckpointTensor;
}

/** Names of the formats in `quant_method`, as users write them. */
const METHODS: Readonly<Record<string, string>> = {
  gptq: "GPTQ",
  awq: "AWQ",
  bitsandbytes: "bitsandbytes",
  "compressed-tensors": "compressed-tensors",
  mxfp4: "MXFP4",
  hqq: "HQQ",
  quanto: "quanto",
  eetq: "EETQ",
  modelopt: "ModelOpt",
  torchao: "torchao",
  bitnet: "BitNet",
};

/** Formats by the last words of their companions, the most specific first. */
const SIGNS: readonly (readonly [sign: RegExp, format: string])[] = [
  [/_blocks$/, "MXFP4"],
  [/\.(absmax|quant_map|quant_state\.\w+|SCB)$|\.weight_format$/, "bitsandbytes"],
  [/\.weight_scale_2$/, "NVFP4"],
  [/\.weight_packed$/, "compressed-tensors"],
  [/\.W_q$/, "HQQ"],
  [/\._(data|scale)$/, "quanto"],
  [/\.weight_qdata$/, "torchao"],
  [/\.g_idx$/, "GPTQ"],
  [/\.qweight$/, "GPTQ or AWQ"],
];

/** Name of a quantisation format: from its companions' names, else config.json, else its dtype. */
export function nameFormat(
  own: readonly OwnCompanion[],
  weight: CheckpointTensor | undefined,
  settings: readonly Readonly<Record<string, unknown>>[],
): string {
  const names = own.map(({ tensor }) => tensor.name);
  const sign = SIGNS.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
  const method = settings
    .map(({ quant_method }) => quant_method)
    .find((it) => typeof it === "string");
  const stated =
    typeof method === "string" && Object.hasOwn(METHODS, method) ? METHODS[method]! : null;
  if (sign && (sign !== "GPTQ or AWQ" || !stated)) return sign;
  if (stated) return stated;
  if (weight?.dtype === "U32") return "MLX";
  return `${weight?.dtype ?? "packed"} codes with scales`;
}

/** Sentence on why codes in a format are not read, and what to do. */
export function refuseFormat(format: string): string {
  return `weights in ${format} are not read. Take the model as it was before quantisation, or undo it once with transformers: from_pretrained(…), dequantize() and save_pretrained(…)`;
}

/** Sentence on why factors beside a weight are not read, and what to do. */
export function refuseFactors(weight: string): string {
  return `"${weight}" has the factors of an adapter beside it (lora_A, lora_B, base_layer), which was not merged into it. Merge it with peft, merge_and_unload(), and take the result`;
}

/** Notes about quantised weights, one sentence per format. */
export function quantisationNotes(quantised: readonly QuantisedWeights[]): readonly string[] {
  return quantised.map(({ format, count, example, refusal }) => {
    const weights = `${count} ${count === 1 ? "weight" : "weights"}, such as "${example.slice(0, 120)}"`;
    return refusal === null
      ? `${format}: ${weights}, dequantised as they are read.`
      : `Cannot be read: ${weights}: ${refusal}.`;
  });
}
