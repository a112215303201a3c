import { EngineError } from "../contract/index.ts";
import { type FileTree, readAll } from "../core/bytes.ts";
import { clip } from "../core/json.ts";
import { mergeRole } from "../core/tensor/dtype.ts";
import type { Checkpoint, CheckpointTensor, ModelConfig } from "./checkpoint.ts";
import { parseConfig } from "./config.ts";
import { LFS_POINTER_MAX_BYTES, readLfsPointer } from "./formats/notWeights.ts";
import { readHeader, type SafetensorsHeader } from "./formats/safetensors/header.ts";
import {
  findWeightFiles,
  listSome,
  readText,
  type WeightFiles,
} from "./formats/safetensors/weightFiles.ts";
import { isHead, isTokenEmbedding } from "./tensorRoles/role.ts";

const MAX_CONFIG_BYTES = 2 ** 20;
/** Headers that are read at once: enough to hide a disk's latency, little enough for memory. */
const HEADERS_AT_ONCE = 4;
/** Small files that a checkpoint is worth less without. */
const SIDE_FILE = /\.(json|model|jinja|txt|tiktoken)$/;

/**
 * Opens a checkpoint: config.json and every header are read and checked, no weight is. `files` are
 * those of one folder; a single .safetensors file is a checkpoint too. `name` is what messages call
 * it. Errors: those of `readHeader`, and `missing-file`, `missing-tensor`, `bad-config`.
 */
export async function openCheckpoint(files: FileTree, name: string): Promise<Checkpoint> {
  const weightFiles = await findWeightFiles(files, name);
  const config = await readConfig(files);
  const headers = await readHeaders(files, weightFiles.paths);
  const tensors = gatherTensors(files, weightFiles, headers);
  const notes = [
    ...(await sideFileNotes(files)),
    ...tensorNotes(tensors, config),
    ...indexNotes(weightFiles, tensors),
    ...weightFiles.notes,
  ];
  return { name, config, tensors, files, notes };
}

async function readConfig(files: FileTree): Promise<ModelConfig | null> {
  const source = files.get("config.json");
  if (!source) return null;
  return parseConfig(await readText(source, "config.json", MAX_CONFIG_BYTES), "config.json");
}

async function readHeaders(
  files: FileTree,
  paths: readonly string[],
): Promise<readonly SafetensorsHeader[]> {
  const headers: SafetensorsHeader[] = [];
  for (let i = 0; i < paths.length; i += HEADERS_AT_ONCE) {
    const some = paths.slice(i, i + HEADERS_AT_ONCE);
    headers.push(...(await Promise.all(some.map((path) => readHeader(files.get(path)!, path)))));
  }
  return headers;
}

function gatherTensors(
  files: FileTree,
  { paths, places }: WeightFiles,
  headers: readonly SafetensorsHeader[],
): ReadonlyMap<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [i, { tensors: inFile }] of headers.entries()) {
    const file = paths[i]!;
    const source = files.get(file)!;
    for (const tensor of inFile) {
      const other = tensors.get(tensor.name);
      if (other) {
        throw new EngineError(
          "bad-header",
          `${clip(tensor.name)} is both in ${other.file} and in ${file}; a checkpoint has each tensor once.`,
          { tensor: tensor.name.slice(0, 120), file, other: other.file },
        );
      }
      tensors.set(tensor.name, { ...tensor, file, source });
    }
  }
  for (const [tensor, file] of places ?? []) {
    if (tensors.get(tensor)?.file === file) continue;
    throw new EngineError(
      "missing-tensor",
      `The index puts ${clip(tensor)} into ${file}, but it is not there. Index and shards are not of one model, or one of them is damaged.`,
      { tensor: tensor.slice(0, 120), file },
    );
  }
  return tensors;
}

async function sideFileNotes(files: FileTree): Promise<readonly string[]> {
  const notes: string[] = [];
  if (!files.has("config.json")) {
    notes.push("There is no config.json: architecture and layers are unknown.");
  }
  const tokenizers = ["tokenizer.json", "tokenizer.model", "vocab.json", "tekken.json"];
  if (!tokenizers.some((path) => files.has(path))) {
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

function tensorNotes(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  config: ModelConfig | null,
): readonly string[] {
  const notes: string[] = [];
  const list = [...tensors.values()];
  const head = list.some(({ name }) => isHead(name));
  const embedding = list.some(({ name }) => isTokenEmbedding(name));
  if (embedding && !head) {
    notes.push(
      config && !config.tied
        ? "There is no output matrix, although config.json does not tie it to the embedding."
        : "The head is tied: the embedding serves as output matrix and is merged once.",
    );
  }
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

function indexNotes(
  { places }: WeightFiles,
  tensors: ReadonlyMap<string, CheckpointTensor>,
): readonly string[] {
  if (!places) return [];
  const extra = [...tensors.keys()].filter((name) => !places.has(name));
  return extra.length > 0 ? [`Not in the index, but in its shards: ${listSome(extra)}.`] : [];
}
