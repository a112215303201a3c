import type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { findEmbedding, findHead, isTied, withHead } from "../checkpoint/tensorRoles/head.ts";
import { alignNames } from "../checkpoint/tensorRoles/layouts.ts";
import { countsTokens, headBeside, isHead, roleOf } from "../checkpoint/tensorRoles/role.ts";
import { EngineError, type ExtractionSettings } from "../contract/index.ts";
import { mergeRole } from "../core/tensor/dtype.ts";

/** A tensor of the model beside the base's. */
export interface TensorPair {
  readonly model: CheckpointTensor;
  readonly base: CheckpointTensor;
}

/** Kind of a module with factors: an embedding's are named otherwise in PEFT. */
export type FactoredKind = "linear" | "conv1d" | "embedding";

/** What may have changed, and how the adapter would say so. Modules by their names in transformers. */
export type Item =
  /** A matrix that becomes factors. */
  | {
      readonly kind: "factors";
      readonly module: string;
      readonly as: FactoredKind;
      readonly weight: TensorPair;
    }
  /** A module that is saved whole: its tensors by `weight` or `bias`. */
  | {
      readonly kind: "whole";
      readonly module: string;
      readonly tensors: ReadonlyMap<string, TensorPair>;
    }
  /** The bias of a module that has factors, or could have. */
  | { readonly kind: "bias"; readonly module: string; readonly bias: TensorPair };

export interface ExtractionPlan {
  readonly items: readonly Item[];
  /** Names of all modules with tensors, among which those of the adapter are told apart. */
  readonly modules: readonly string[];
  /** Whether the model has another number of tokens. */
  readonly otherVocabulary: boolean;
  readonly notes: readonly string[];
}

/** Names of tensors in a sentence. */
const MOST_NAMES = 4;
const CONV1D = /(^|\.)(c_attn|q_attn|c_proj|c_fc)$/;
/** Models whose linear layers are stored [inputs, outputs]. */
const WITH_CONV1D = /^(gpt2|openai-gpt|imagegpt|decision_transformer)$/;

/** Some names for a sentence. */
function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(", ");
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/**
 * Sorts a model's tensors by how an adapter can say that they changed. Reads headers only. `mismatch`
 * where model and base are different models.
 */
export function planExtraction(
  base: Checkpoint,
  model: Checkpoint,
  settings: ExtractionSettings,
): ExtractionPlan {
  const pairs = pairTensors(base, model);
  const modules = new Map<string, Map<string, TensorPair>>();
  const unsaid: string[] = [];
  for (const [name, pair] of pairs) {
    const { part } = roleOf(name);
    const role = mergeRole(pair.model.dtype);
    if (part === "buffer" || part === "companion" || role === "copy" || role === "describe")
      continue;
    const [, module, suffix] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
    if (module === undefined || suffix === undefined) {
      unsaid.push(name);
      continue;
    }
    const tensors = modules.get(module) ?? new Map<string, TensorPair>();
    modules.set(module, tensors.set(suffix, pair));
  }
  const chosen = chooser(settings);
  const tied = findHead(base) === null && findHead(model) === null && isTied(base);
  // PEFT would merge the factors of both into the one tensor.
  const embeddings = settings.embeddings === "lora" ? "save" : settings.embeddings;
  const items = [...modules].flatMap(([module, tensors]) =>
    chosen(module)
      ? itemsOf(module, tensors, base, tied ? { ...settings, embeddings } : settings)
      : [],
  );
  const notes: string[] = [];
  if (unsaid.length > 0) {
    notes.push(
      `An adapter cannot say whether ${listNames(unsaid)} changed: they belong to no weight or bias of a module.`,
    );
  }
  if (tied && settings.embeddings === "lora") {
    notes.push(
      "The head is tied to the embedding: both are saved whole, since PEFT would merge factors of both into one tensor.",
    );
  }
  const otherVocabulary = [...pairs].some(
    ([name, { model: mine, base: theirs }]) =>
      countsTokens(name) && mine.shape[0] !== theirs.shape[0],
  );
  if (otherVocabulary) notes.push(vocabularyNote(base, settings));
  return { items, modules: [...modules.keys()], otherVocabulary, notes };
}

function vocabularyNote({ name }: Checkpoint, { embeddings }: ExtractionSettings): string {
  return embeddings === "skip"
    ? `The model has another number of tokens than ${name}, and its embeddings are left out: its new tokens are lost.`
    : `The model has another number of tokens than ${name}: its embeddings are saved whole, with its tokenizer. Resize the base's embeddings before the adapter is loaded.`;
}

/** Tensors of the model with those of the base under the base's names. */
function pairTensors(base: Checkpoint, model: Checkpoint): ReadonlyMap<string, TensorPair> {
  const aligned = alignNames(model, base);
  // PEFT adapts a head that is tied to the embedding by itself.
  const heads = findHead(base) ?? findHead(aligned) ?? (isTied(base) ? findEmbedding(base) : null);
  const [ours, theirs] = heads ? [withOwnHead(base), withOwnHead(aligned)] : [base, aligned];
  const lacking = [...ours.tensors.keys()].filter((name) => !theirs.tensors.has(name));
  const added = [...theirs.tensors.keys()].filter((name) => !ours.tensors.has(name));
  const isLearned = (name: string) => roleOf(name).part !== "buffer";
  const strange = [...lacking, ...added].filter(isLearned);
  if (strange.length > 0) {
    throw new EngineError(
      "mismatch",
      `${model.name} and ${base.name} are not the same architecture: only one of them has ${listNames(strange)}. Name the model that ${model.name} was made from.`,
      { model: model.name, base: base.name, tensors: strange.length },
    );
  }
  const pairs = new Map<string, TensorPair>();
  for (const [name, tensor] of theirs.tensors) {
    const own = ours.tensors.get(name);
    if (!own) continue;
    const same = tensor.shape.join() === own.shape.join();
    const longer = countsTokens(name) && tensor.shape.slice(1).join() === own.shape.slice(1).join();
    if (!same && !longer && isLearned(name)) {
      throw new EngineError(
        "mismatch",
        `"${name}" is ${tensor.shape.join(" × ")} in ${model.name}, but ${own.shape.join(" × ")} in ${base.name}: they are not the same architecture.`,
        { tensor: name, model: model.name, base: base.name },
      );
    }
    if (same || longer) pairs.set(name, { model: tensor, base: own });
  }
  return pairs;
}

function withOwnHead(checkpoint: Checkpoint): Checkpoint {
  const embedding = findEmbedding(checkpoint);
  if (!embedding || findHead(checkpoint)) return checkpoint;
  return withHead(checkpoint, embedding, headBeside(embedding.name));
}

function chooser({ include, exclude }: ExtractionSettings): (module: string) => boolean {
  const parts = (text: string | null) =>
    (text ?? "")
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  const [wanted, unwanted] = [parts(include), parts(exclude)];
  return (module) =>
    (wanted.length === 0 || wanted.some((part) => module.includes(part))) &&
    !unwanted.some((part) => module.includes(part));
}

function itemsOf(
  module: string,
  tensors: ReadonlyMap<string, TensorPair>,
  base: Checkpoint,
  { embeddings, others }: ExtractionSettings,
): readonly Item[] {
  const [weight, bias] = [tensors.get("weight"), tensors.get("bias")];
  const whole: Item = { kind: "whole", module, tensors };
  const name = `${module}.weight`;
  const isEmbedding = roleOf(name).group === "embedding";
  const isMatrix = weight?.model.shape.length === 2;
  if (isEmbedding || isHead(name)) {
    if (embeddings === "skip") return [];
    const isLonger = weight?.model.shape[0] !== weight?.base.shape[0];
    if (embeddings === "save" || isLonger || !isMatrix) return [whole];
  }
  if (!weight || !isMatrix) return others === "save" ? [whole] : [];
  const isConv1D = CONV1D.test(module) && WITH_CONV1D.test(base.config?.modelType ?? "");
  const as = isEmbedding ? "embedding" : isConv1D ? "conv1d" : "linear";
  const factors: Item = { kind: "factors", module, as, weight };
  return bias && others === "save" ? [factors, { kind: "bias", module, bias }] : [factors];
}
