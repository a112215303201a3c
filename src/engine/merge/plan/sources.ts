import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import type { Finding } from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import { layerKey } from "../methods/varm/units.ts";

/** One checkpoint of a merge under the name that findings and results give it. */
export interface Source {
  readonly key: string;
  readonly checkpoint: Checkpoint;
}

/** The checkpoints of a merge. Where the method has no base, `base` is null. */
export interface Sources {
  readonly method: MergeMethod;
  readonly base: Source | null;
  readonly models: readonly Source[];
  /** Gives the result its config, its tokenizer and the order of its tensors. */
  readonly donor: Source;
}

const TOKEN_EMBEDDING =
  /(^|\.)(embed_tokens|wte|tok_embeddings|embed_in|word_embeddings|embeddings)\.weight$/;
const HEAD = /(^|\.)(lm_head|embed_out)\.(weight|bias)$/;
const HEAD_WEIGHT = /(^|\.)(lm_head|embed_out)\.weight$/;

/** True for the matrix with one row a token at the model's entrance. */
export function isTokenEmbedding(tensor: string): boolean {
  return TOKEN_EMBEDDING.test(tensor);
}

/** True where the first axis counts tokens. */
export function countsTokens(tensor: string): boolean {
  return TOKEN_EMBEDDING.test(tensor) || HEAD.test(tensor);
}

export function isHead(tensor: string): boolean {
  return HEAD_WEIGHT.test(tensor);
}

/** A model without config.json and without a head is taken for one that ties it. */
export function isTied({ config, tensors }: Checkpoint): boolean {
  return config?.tied ?? ![...tensors.keys()].some(isHead);
}

/**
 * The checkpoint's tensor of this name; for the head of a model that ties it, its token embedding
 * (mergekit's `tied_names`).
 */
export function findTensor(checkpoint: Checkpoint, name: string): CheckpointTensor | null {
  const own = checkpoint.tensors.get(name);
  if (own) return own;
  if (!isHead(name) || !isTied(checkpoint)) return null;
  for (const tensor of checkpoint.tensors.values()) {
    if (isTokenEmbedding(tensor.name)) return tensor;
  }
  return null;
}

/** The number of a tensor's layer, or null outside the stack. */
export function layerIndex(tensor: string): number | null {
  const key = layerKey(tensor);
  return key === null ? null : Number(key.slice(key.lastIndexOf(".") + 1));
}

/** How many layers a checkpoint has: as its config says, else as its tensors' names say. */
export function countLayers({ config, tensors }: Checkpoint): number {
  if (config?.layers !== null && config?.layers !== undefined) return config.layers;
  let layers = 0;
  for (const name of tensors.keys()) layers = Math.max(layers, (layerIndex(name) ?? -1) + 1);
  return layers;
}

/** A finding about one source, and maybe one of its tensors. */
export function finding(
  severity: Finding["severity"],
  code: Finding["code"],
  message: string,
  about: { readonly source?: Source | undefined; readonly tensor?: string } = {},
): Finding {
  return {
    severity,
    code,
    message,
    ...(about.source === undefined ? {} : { model: about.source.key }),
    ...(about.tensor === undefined ? {} : { tensor: about.tensor }),
  };
}

/** `32000 × 4096`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? "a single number" : shape.join(" × ");
}
