import { type Checkpoint, type CheckpointTensor, roundedTensor } from "../checkpoint/checkpoint.ts";
import { companionFiles } from "../checkpoint/companions.ts";
import { planShards } from "../checkpoint/formats/safetensors/shards.ts";
import type {
  DType,
  Extraction,
  ExtractionSettings,
  MatrixSpectrum,
  OutputDType,
} from "../contract/index.ts";
import { bytesInMemory, type FileTree } from "../core/bytes.ts";
import { byteLength } from "../core/tensor/dtype.ts";
import { targetModules } from "../train/adapterFiles.ts";
import { extractionDocuments } from "./documents.ts";
import type { Outcome } from "./outcomes.ts";
import type { ExtractionPlan, Item, TensorPair } from "./plan.ts";

/** A tensor of the adapter and where its bytes come from. */
export interface AdapterTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly from:
    | { readonly kind: "factors"; readonly index: number; readonly start: number }
    | { readonly kind: "model"; readonly tensor: CheckpointTensor };
}

export interface AdapterFolder {
  readonly header: Uint8Array<ArrayBuffer>;
  /** Tensors in the order of their bytes, with the first of each within the file. */
  readonly tensors: readonly (AdapterTensor & {
    readonly start: number;
    readonly byteLength: number;
  })[];
  /** Bytes of adapter_model.safetensors. */
  readonly weightBytes: number;
  /** Files beside it. */
  readonly files: FileTree;
  readonly byteLength: number;
}

/** PEFT's name of a tensor of the model that it wraps. */
const peftName = (name: string) => `base_model.model.${name}`;
const inMemory = (text: string) => bytesInMemory(new TextEncoder().encode(text));

/** What of an extraction changed, by how the adapter says so. */
interface Said {
  readonly tensors: readonly AdapterTensor[];
  readonly factored: readonly { readonly module: string; readonly rank: number }[];
  readonly saved: readonly string[];
  readonly biases: readonly string[];
  /** Whether a linear layer is stored [inputs, outputs]. */
  readonly conv1d: boolean;
}

/** Plans the adapter's folder once every item's outcome is known. The same outcomes give the same bytes. */
export async function planAdapterFolder(
  { base, model }: { readonly base: Checkpoint; readonly model: Checkpoint },
  plan: ExtractionPlan,
  outcomes: readonly Outcome[],
  { name, settings }: { readonly name: string; readonly settings: ExtractionSettings },
): Promise<{ readonly folder: AdapterFolder; readonly extraction: Extraction }> {
  const said = collect(plan.items, outcomes, settings);
  const {
    files: [file],
  } = planShards(said.tensors, { maxBytes: Number.MAX_SAFE_INTEGER, metadata: {} });
  const byName = new Map(said.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors = file!.tensors.map((slot) => ({ ...byName.get(slot.name)!, ...slot }));
  const extraction: Extraction = {
    base: base.name,
    model: model.name,
    settings,
    matrices: outcomes.flatMap(({ changed, spectrum }) => (changed && spectrum ? [spectrum] : [])),
    whole: [...said.saved, ...said.biases],
    unchanged: outcomes.filter(({ changed }) => !changed).length,
    notes: plan.notes,
  };
  const files = new Map([
    ...(plan.otherVocabulary ? tokenizerOf(model) : []),
    ["adapter_config.json", inMemory(formatConfig(said, plan, { base, settings }))] as const,
    ...(await extractionDocuments({ base, model }, extraction, name)),
  ]);
  const beside = [...files.values()].reduce((sum, source) => sum + source.byteLength, 0);
  const weightBytes = file!.byteLength;
  const folder = {
    header: file!.header,
    tensors,
    weightBytes,
    files,
    byteLength: weightBytes + beside,
  };
  return { folder, extraction };
}

const TOKENIZER = /^(tokenizer|special_tokens_map|added_tokens|vocab|merges|chat_template)[\w.]*$/;
const tokenizerOf = (model: Checkpoint) =>
  [...companionFiles(model)].filter(([path]) => TOKENIZER.test(path));

function collect(
  items: readonly Item[],
  outcomes: readonly Outcome[],
  { dtype }: ExtractionSettings,
): Said {
  const tensors: AdapterTensor[] = [];
  const factored: { module: string; rank: number }[] = [];
  const saved: string[] = [];
  const biases: string[] = [];
  const save = (name: string, { model }: TensorPair) => {
    const tensor = roundedTensor(model);
    const from = { kind: "model", tensor } as const;
    tensors.push({ name: peftName(name), dtype: tensor.dtype, shape: tensor.shape, from });
  };
  const isFactored = new Set<string>();
  let conv1d = false;
  for (const [index, item] of items.entries()) {
    const { changed, spectrum } = outcomes[index]!;
    if (!changed) continue;
    if (item.kind === "factors" && spectrum) {
      conv1d ||= item.as === "conv1d";
      isFactored.add(item.module);
      factored.push({ module: item.module, rank: spectrum.rank });
      tensors.push(...factorTensors(item, spectrum, index, dtype));
    } else if (item.kind === "whole") {
      saved.push(item.module);
      for (const [suffix, pair] of item.tensors) save(`${item.module}.${suffix}`, pair);
    } else if (item.kind === "bias") {
      biases.push(`${item.module}.bias`);
      save(`${item.module}.${isFactored.has(item.module) ? "base_layer.bias" : "bias"}`, item.bias);
    }
  }
  return { tensors, factored, saved, biases, conv1d };
}

function factorTensors(
  { module, as }: Extract<Item, { readonly kind: "factors" }>,
  { rank, shape: [rows, columns] }: MatrixSpectrum,
  index: number,
  dtype: OutputDType,
): readonly AdapterTensor[] {
  const [inputs, outputs] = as === "linear" ? [columns, rows] : [rows, columns];
  const name = (factor: "A" | "B") =>
    peftName(
      as === "embedding" ? `${module}.lora_embedding_${factor}` : `${module}.lora_${factor}.weight`,
    );
  const from = (start: number) => ({ kind: "factors", index, start }) as const;
  return [
    { name: name("A"), dtype, shape: [rank, inputs], from: from(0) },
    {
      name: name("B"),
      dtype,
      shape: [outputs, rank],
      from: from(byteLength(dtype, rank * inputs)),
    },
  ];
}

function formatConfig(
  { factored, saved, biases, conv1d }: Said,
  { modules }: ExtractionPlan,
  { base, settings }: { readonly base: Checkpoint; readonly settings: ExtractionSettings },
): string {
  const rank = Math.max(...factored.map((each) => each.rank));
  const scale = scaleOf(settings);
  const others = factored.filter((each) => each.rank !== rank);
  const patterns = (value: (rank: number) => number) =>
    Object.fromEntries(others.map((each) => [each.module, value(each.rank)]));
  const config = {
    peft_type: "LORA",
    task_type: /(ForCausalLM|LMHeadModel)$/.test(base.config?.architecture ?? "")
      ? "CAUSAL_LM"
      : null,
    base_model_name_or_path: base.name,
    r: rank,
    lora_alpha: scale * rank,
    rank_pattern: patterns((own) => own),
    alpha_pattern: patterns((own) => scale * own),
    lora_dropout: 0,
    use_rslora: false,
    target_modules: targetModules(
      factored.map(({ module }) => module),
      modules,
    ),
    // All biases of the file are loaded, whichever layer they are of.
    bias: biases.length > 0 ? "all" : "none",
    fan_in_fan_out: conv1d,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: saved.length > 0 ? plainEndings(saved, modules) : null,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** What the factors' product is multiplied by: alpha / rank. */
export function scaleOf({ alpha, rank }: ExtractionSettings): number {
  return alpha === null ? 1 : alpha / rank;
}

/**
 * Shortest endings that the saved modules have and no others, as PEFT matches `modules_to_save`: by the
 * plain text, so that `norm` would be `input_layernorm`, too.
 */
function plainEndings(saved: readonly string[], modules: readonly string[]): readonly string[] {
  const others = modules.filter((module) => !saved.includes(module));
  const endings = saved.map((module) => {
    const parts = module.split(".");
    const ending = parts
      .map((_, i) => parts.slice(-1 - i).join("."))
      .find((tail) => !others.some((other) => other.endsWith(tail)));
    return ending ?? module;
  });
  return [...new Set(endings)];
}
