import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { isHead, isTokenEmbedding, roleOf } from "./role.ts";

const preferText = (tensors: readonly CheckpointTensor[]) =>
  tensors.find(({ name }) => roleOf(name).stack === "text") ?? tensors[0] ?? null;

/** Classes of transformers without a head: `BertModel` of a sentence encoder. */
export const HEADLESS = /((?<!LMHead)Model|ForSequenceClassification|ForTokenClassification)$/;
/** Classes of transformers that predict tokens. */
export const PREDICTS_TOKENS = /(ForCausalLM|LMHeadModel)$/;

/**
 * Token embedding of the language model; another stack's where it has none. Null for a diffusion
 * model, whose text encoder predicts nothing.
 */
export function findEmbedding({ tensors }: Pick<Checkpoint, "tensors">): CheckpointTensor | null {
  const list = [...tensors.values()];
  if (list.some(({ name }) => roleOf(name).stack === "unet")) return null;
  return preferText(list.filter(({ name }) => isTokenEmbedding(name)));
}

/** Head that a checkpoint stores beside its embedding. */
export function findHead({ tensors }: Pick<Checkpoint, "tensors">): CheckpointTensor | null {
  return preferText([...tensors.values()].filter(({ name }) => isHead(name)));
}

/** The checkpoint as one that leaves its head to the embedding. */
export function withoutHead(checkpoint: Checkpoint): Checkpoint {
  const tensors = [...checkpoint.tensors].filter(([name]) => !isHead(name));
  return { ...checkpoint, tensors: new Map(tensors) };
}

/** The checkpoint with this embedding as a head of its own. */
export function withHead(
  checkpoint: Checkpoint,
  embedding: CheckpointTensor,
  name: string,
): Checkpoint {
  const tensors = new Map(checkpoint.tensors).set(name, { ...embedding, name });
  return { ...checkpoint, tensors };
}

/** Whether the head is tied; assumed of a model without config.json and without a head. */
export function isTied(checkpoint: Checkpoint): boolean {
  return checkpoint.config?.tied ?? findHead(checkpoint) === null;
}
