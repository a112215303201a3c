import { type AdapterCard, EngineError, type ErrorCode } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { mergeRole } from "../../core/tensor/dtype.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { listSome } from "../smallFile.ts";
import { type AdapterConfig, refuse, scaleOf } from "./adapterConfig.ts";
import { type AdapterPart, partOf } from "./adapterNames.ts";

/** Factors of one module: its weight becomes W + scale · B · A. */
export interface LowRankModule {
  /** As PEFT names it within the model: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  readonly kind: "linear" | "embedding";
  /** `[rank, inputs]`; of a convolution `[rank, inputs, height, width]`. */
  readonly a: CheckpointTensor;
  /** `[outputs, rank]`; of a convolution `[outputs, rank, 1, 1]`. */
  readonly b: CheckpointTensor;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly scale: number;
  /** Bias of B, which is scaled and added to the module's own (`lora_bias`). */
  readonly bias: CheckpointTensor | null;
  /** Norm of each output of the changed weight (DoRA). */
  readonly magnitude: CheckpointTensor | null;
}

/** Rows of an embedding in place of the base's (`trainable_token_indices`). */
export interface TrainedRows {
  readonly module: string;
  readonly rows: readonly number[];
  /** `[rows, hidden]`. */
  readonly values: CheckpointTensor;
}

/** A PEFT adapter: what it changes in its base. */
export interface Adapter {
  readonly name: string;
  readonly config: AdapterConfig;
  readonly modules: readonly LowRankModule[];
  /** Whole tensors in place of the base's, by its names: `modules_to_save` and biases. */
  readonly replaced: ReadonlyMap<string, CheckpointTensor>;
  readonly rows: readonly TrainedRows[];
}

/** An open checkpoint whose tensors are an adapter's. */
export type AdapterCheckpoint = Checkpoint & { readonly adapter: AdapterConfig };

export function isAdapter(checkpoint: Checkpoint): checkpoint is AdapterCheckpoint {
  return checkpoint.adapter !== undefined;
}

/** `unsupported-architecture` for an adapter where a whole model is needed. */
export function requireModel(checkpoint: Checkpoint): void {
  if (!isAdapter(checkpoint)) return;
  const { name, adapter } = checkpoint;
  const base = adapter.base === null ? "its base" : `its base, ${adapter.base}`;
  throw new EngineError(
    "unsupported-architecture",
    `${name} is an adapter, not a whole model: name it behind ${base}, as "base+${name}".`,
    { model: name, ...(adapter.base === null ? {} : { base: adapter.base }) },
  );
}

/**
 * Sorts an adapter's tensors into changes and checks them against each other and the config; reads
 * no weight. Errors: `bad-shape`, `bad-dtype`, `missing-tensor`, `bad-config`.
 */
export function readAdapter({ name, adapter: config, tensors }: AdapterCheckpoint): Adapter {
  const modules = new Map<string, Map<AdapterPart, CheckpointTensor>>();
  const replaced = new Map<string, CheckpointTensor>();
  for (const tensor of tensors.values()) {
    requireFloats(tensor, name);
    const place = partOf(tensor.name);
    if (!place)
      throw bad("unsupported-architecture", name, tensor, "is no part of a LoRA that is read");
    if (place.part === "whole") {
      replaced.set(place.module, tensor);
      continue;
    }
    const parts = modules.get(place.module) ?? new Map<AdapterPart, CheckpointTensor>();
    modules.set(place.module, parts);
    const other = parts.get(place.part);
    if (other) throw bad("bad-header", name, tensor, `and ${clip(other.name)} are one factor`);
    parts.set(place.part, tensor);
  }
  const lowRank: LowRankModule[] = [];
  const rows: TrainedRows[] = [];
  for (const [module, parts] of modules) {
    const values = parts.get("rows");
    if (values) rows.push(readRows(module, values, config, name));
    if (parts.size > (values ? 1 : 0)) lowRank.push(readModule(module, parts, config, name));
  }
  if (lowRank.length + rows.length + replaced.size === 0) {
    throw new EngineError("missing-tensor", `The adapter ${name} holds no tensor.`, {
      model: name,
    });
  }
  return { name, config, modules: lowRank, replaced, rows };
}

/** An adapter's base, and a line about it for people. */
export function adapterCard(checkpoint: AdapterCheckpoint): AdapterCard {
  const { config, modules, replaced, rows } = readAdapter(checkpoint);
  const ranks = [...new Set(modules.map(({ rank }) => rank))].sort((a, b) => a - b);
  const kind = config.dora ? "DoRA" : config.rslora ? "rsLoRA" : "LoRA";
  const parts = [
    `${kind} of rank ${listSome(ranks.map(String))} on ${modules.length} ${modules.length === 1 ? "module" : "modules"}`,
    ...(replaced.size > 0 ? [`${replaced.size} whole tensors`] : []),
    ...(rows.length > 0
      ? [`${rows.reduce((sum, each) => sum + each.rows.length, 0)} token rows`]
      : []),
  ];
  return { base: config.base, about: parts.join(", ") };
}

function bad(code: ErrorCode, model: string, { name, shape }: CheckpointTensor, phrase: string) {
  return new EngineError(code, `${clip(name)} of the adapter ${model} ${phrase}.`, {
    model,
    tensor: name.slice(0, 120),
    shape: shape.join(" × "),
  });
}

function requireFloats(tensor: CheckpointTensor, model: string): void {
  const role = mergeRole(tensor.dtype);
  if (role === "gpu" || role === "convert") return;
  throw bad("bad-dtype", model, tensor, `is ${tensor.dtype}; an adapter holds floats`);
}

function readModule(
  module: string,
  parts: ReadonlyMap<AdapterPart, CheckpointTensor>,
  config: AdapterConfig,
  model: string,
): LowRankModule {
  const kind = parts.has("embeddingA") || parts.has("embeddingB") ? "embedding" : "linear";
  const a = parts.get(kind === "embedding" ? "embeddingA" : "a");
  const b = parts.get(kind === "embedding" ? "embeddingB" : "b");
  if (!a || !b || (kind === "embedding" && (parts.has("a") || parts.has("b")))) {
    throw new EngineError(
      "missing-tensor",
      `${clip(module)} of the adapter ${model} needs one lora_A and one lora_B; the file has ${[...parts.values()].map(({ name }) => clip(name)).join(", ")}.`,
      { model, module: module.slice(0, 120) },
    );
  }
  const [rank = 0] = a.shape;
  const [outputs = 0, width] = b.shape;
  const isMatrix = a.shape.length === b.shape.length && a.shape.length >= 2;
  if (
    !isMatrix ||
    rank === 0 ||
    width !== rank ||
    b.elementCount !== outputs * rank ||
    a.elementCount === 0
  ) {
    throw bad(
      "bad-shape",
      model,
      b,
      `is [${b.shape}] and its A [${a.shape}]: B must be [outputs, rank] and A [rank, inputs]`,
    );
  }
  const stated = scaleOf(config, module);
  if (stated.rank !== rank) {
    throw bad(
      "bad-shape",
      model,
      a,
      `has rank ${rank}, where adapter_config.json states ${stated.rank}: the scale alpha/rank would be a guess`,
    );
  }
  const bias = parts.get("bias") ?? null;
  if (bias && bias.elementCount !== outputs) {
    throw bad("bad-shape", model, bias, `has ${bias.elementCount} values for ${outputs} outputs`);
  }
  return {
    module,
    kind,
    a,
    b,
    rank,
    outputs,
    inputs: a.elementCount / rank,
    scale: stated.scale,
    bias,
    magnitude: readMagnitude(module, parts.get("magnitude") ?? null, outputs, config, model),
  };
}

function readMagnitude(
  module: string,
  magnitude: CheckpointTensor | null,
  outputs: number,
  config: AdapterConfig,
  model: string,
): CheckpointTensor | null {
  if (config.dora !== (magnitude !== null)) {
    const phrase = config.dora
      ? `states use_dora, but ${clip(module)} has no lora_magnitude_vector`
      : `does not state use_dora, but ${clip(module)} has a lora_magnitude_vector`;
    throw refuse(model, phrase);
  }
  if (magnitude && magnitude.elementCount !== outputs) {
    throw bad(
      "bad-shape",
      model,
      magnitude,
      `has ${magnitude.elementCount} values for ${outputs} outputs`,
    );
  }
  return magnitude;
}

function readRows(
  module: string,
  values: CheckpointTensor,
  { tokenRows }: AdapterConfig,
  model: string,
): TrainedRows {
  const named = [...tokenRows].find(([key]) => module === key || module.endsWith(`.${key}`));
  const rows = named?.[1] ?? tokenRows.get("");
  if (!rows) throw refuse(model, `has no trainable_token_indices for ${clip(module)}`);
  if (values.shape.length !== 2 || values.shape[0] !== rows.length) {
    throw bad(
      "bad-shape",
      model,
      values,
      `is [${values.shape}], for ${rows.length} rows in adapter_config.json`,
    );
  }
  return { module, rows, values };
}
