import { type FileTree, readAll } from "../core/bytes.ts";
import { mergeRole } from "../core/tensor/dtype.ts";
import type { CheckpointTensor, ModelConfig } from "./checkpoint.ts";
import { LFS_POINTER_MAX_BYTES, readLfsPointer } from "./lfsPointer.ts";
import { listSome } from "./smallFile.ts";
import { findEmbedding, findHead, HEADLESS, PREDICTS_TOKENS } from "./tensorRoles/head.ts";

/** Small files that a checkpoint should have. */
const SIDE_FILE = /\.(json|model|jinja|txt|tiktoken)$/;

/**
 * Notes about files that are missing beside the weights, or are Git-LFS pointers; a model of images
 * needs no tokenizer.
 */
export async function sideFileNotes(
  files: FileTree,
  readsTokens: boolean,
): Promise<readonly string[]> {
  const notes: string[] = [];
  if (!files.has("config.json")) {
    notes.push("There is no config.json: architecture and layers are unknown.");
  }
  const tokenizers = [
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "tekken.json",
    "vocab.txt",
  ];
  if (readsTokens && !tokenizers.some((path) => files.has(path))) {
    notes.push("There is no tokenizer: weights can be merged, but the result will need one.");
  }
  const pointers: string[] = [];
  for (const [path, source] of files) {
    if (path.includes("/") || !SIDE_FILE.test(path)) continue;
    if (source.byteLength > LFS_POINTER_MAX_BYTES) continue;
    if (readLfsPointer(await readAll(source, LFS_POINTER_MAX_BYTES))) pointers.push(path);
  }
  if (pointers.length > 0) {
    notes.push(
      `Git-LFS pointers stand in place of ${listSome(pointers)}: run \`git lfs pull\` in that folder and drop it again.`,
    );
  }
  return notes;
}

/** What becomes of the head of a model that stores none. */
function headNotes(config: ModelConfig | null): readonly string[] {
  const architecture = config?.architecture ?? "";
  if (config?.tied ?? true) {
    return HEADLESS.test(architecture)
      ? []
      : ["The head is tied: the embedding serves as output matrix and is merged once."];
  }
  return PREDICTS_TOKENS.test(architecture)
    ? ["There is no output matrix, although config.json does not tie it to the embedding."]
    : [];
}

/** Notes about the tensors: a tied head, tensors that are copied, tensors that cannot be merged. */
export function tensorNotes(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  config: ModelConfig | null,
): readonly string[] {
  const notes: string[] = [];
  const list = [...tensors.values()];
  const head = findHead({ tensors });
  if (findEmbedding({ tensors }) && !head) notes.push(...headNotes(config));
  if (config?.tied && head) {
    notes.push("config.json ties the head to the embedding, yet the files hold a head of its own.");
  }
  const withRole = (role: string) => list.filter(({ dtype }) => mergeRole(dtype) === role);
  const copied = withRole("copy").map(({ name, dtype }) => `${name} (${dtype})`);
  if (copied.length > 0) {
    notes.push(`Not numbers to average, copied when equal in all models: ${listSome(copied)}.`);
  }
  const described = withRole("describe").map(({ name, dtype }) => `${name} (${dtype})`);
  if (described.length > 0) notes.push(`Cannot be merged: ${listSome(described)}.`);
  return notes;
}
