import { EngineError } from "../../../contract/index.ts";
import { type ByteSource, type FileTree, readAll } from "../../../core/bytes.ts";
import { clip } from "../../../core/json.ts";
import { chooseGraph, listGraphs } from "../../onnxExport.ts";
import {
  LFS_POINTER_MAX_BYTES,
  lfsPointerError,
  pickleError,
  readLfsPointer,
} from "../notWeights.ts";
import { MAX_INDEX_BYTES, parseShardIndex } from "./shardIndex.ts";

/** The files that hold a checkpoint's weights, and where each tensor should be. */
export interface WeightFiles {
  readonly paths: readonly string[];
  /** From the index; null without one. */
  readonly places: ReadonlyMap<string, string> | null;
  readonly notes: readonly string[];
}

const INDEX = "model.safetensors.index.json";
const SHARD = /^(.+)-(\d{5})-of-(\d{5})\.safetensors$/;
const PICKLE = /\.(bin|pt|pth|ckpt)$/;
/** What training leaves behind beside the weights, in the same formats. */
export const LEFT_BY_TRAINING = /^(training_args|optimizer|scheduler|rng_state.*|scaler)\./;
/** Files that look like weights, in any folder of the checkpoint. */
export const LIKE_WEIGHTS = /\.(safetensors|bin|pt|pth|ckpt|gguf|onnx|h5|msgpack)$/;

/** Chooses the weight files as transformers does: one file, else what the index names, else shards. */
export async function findWeightFiles(files: FileTree, name: string): Promise<WeightFiles> {
  const here = [...files.keys()].filter((path) => !path.includes("/"));
  const weights = here.filter((path) => path.endsWith(".safetensors")).sort();
  const index = here.includes(INDEX)
    ? INDEX
    : here.find((path) => path.endsWith(".safetensors.index.json"));
  let paths: readonly string[];
  let places: ReadonlyMap<string, string> | null = null;
  if (weights.includes("model.safetensors")) {
    paths = ["model.safetensors"];
  } else if (index !== undefined) {
    places = await readIndex(files.get(index)!, index);
    paths = [...new Set(places.values())].sort();
    refuseMissing(paths, files, `${index} of ${name}`);
  } else {
    paths = chooseWithoutIndex(weights, files, name);
  }
  if (paths.length === 0) {
    const graph = here.some((path) => PICKLE.test(path)) ? undefined : chooseGraph(files.keys());
    if (graph === undefined || !files.has("config.json")) throw await noWeights(files, here, name);
    return { paths, places: null, notes: graphNotes(graph, files) };
  }
  const used = new Set(paths);
  const unused = [...files.keys()].filter(
    (path) => LIKE_WEIGHTS.test(path) && !used.has(path) && !LEFT_BY_TRAINING.test(path),
  );
  const notes = unused.length > 0 ? [`Not read: ${listSome(unused)}.`] : [];
  return { paths, places, notes };
}

function graphNotes(graph: string, files: FileTree): readonly string[] {
  const others = listGraphs(files.keys()).filter((path) => path !== graph);
  return [
    `An ONNX export (${graph}): to run, not to merge.`,
    ...(others.length > 0
      ? [
          `Of ${others.length + 1} graphs ${graph} runs, the most precise. Not run: ${listSome(others)}.`,
        ]
      : []),
  ];
}

async function readIndex(source: ByteSource, path: string): Promise<ReadonlyMap<string, string>> {
  return parseShardIndex(await readText(source, path, MAX_INDEX_BYTES), path);
}

/** A small text file, with Git-LFS pointers told apart; `bad-config` where it is too large. */
export async function readText(source: ByteSource, path: string, limit: number): Promise<string> {
  if (source.byteLength > limit) {
    throw new EngineError(
      "bad-config",
      `${path} has ${source.byteLength} bytes; at most ${limit} are read.`,
      { file: path, byteLength: source.byteLength, maxBytes: limit },
    );
  }
  const bytes = await readAll(source, limit);
  const pointer = readLfsPointer(bytes);
  if (pointer) throw lfsPointerError(path, pointer);
  return new TextDecoder().decode(bytes);
}

function chooseWithoutIndex(
  weights: readonly string[],
  files: FileTree,
  name: string,
): readonly string[] {
  const first = weights.map((path) => SHARD.exec(path)).find((found) => found !== null);
  if (first) {
    const [, stem, , count] = first;
    const paths = Array.from(
      { length: Number(count) }, // five digits at most
      (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.safetensors`,
    );
    refuseMissing(paths, files, `${name}, by the names of its shards,`);
    return paths;
  }
  // Mistral ships all weights a second time in this file, under other names.
  const others = weights.filter((path) => path !== "consolidated.safetensors");
  const candidates = others.length > 0 ? others : weights;
  const models = candidates.filter((path) => !path.startsWith("adapter_"));
  if (models.length === 0 && candidates.length > 0) {
    throw new EngineError(
      "unsupported-architecture",
      `${name} is a LoRA adapter (${candidates[0]}), not a whole model. Merge it into its base first, e.g. with peft's merge_and_unload, and drop the result.`,
      { model: name, file: candidates[0]! },
    );
  }
  return models;
}

function refuseMissing(paths: readonly string[], files: FileTree, who: string): void {
  const absent = paths.filter((path) => !files.has(path));
  const file = absent[0];
  if (file === undefined) return;
  const are = absent.length === 1 ? "1 is" : `${absent.length} are`;
  throw new EngineError(
    "missing-file",
    `${who} needs ${paths.length} weight files; ${are} missing, such as ${clip(file)}. Download the rest and drop the whole folder.`,
    { file, missing: absent.length },
  );
}

async function noWeights(
  files: FileTree,
  here: readonly string[],
  name: string,
): Promise<EngineError> {
  const pickles = here.filter((path) => PICKLE.test(path) && !LEFT_BY_TRAINING.test(path)).sort();
  const pickle = pickles[0];
  if (pickle !== undefined) {
    const source = files.get(pickle)!;
    const start = await source.read(0, Math.min(source.byteLength, LFS_POINTER_MAX_BYTES));
    const pointer = source.byteLength <= LFS_POINTER_MAX_BYTES ? readLfsPointer(start) : null;
    return pointer ? lfsPointerError(pickle, pointer) : pickleError(pickle);
  }
  const others = here.filter((path) => LIKE_WEIGHTS.test(path));
  const instead = others.length > 0 ? `, only ${listSome(others)}` : "";
  return new EngineError(
    "missing-file",
    `${name} has no weights: no .safetensors file${instead}. Drop the folder that holds config.json and model.safetensors.`,
    { model: name, files: files.size },
  );
}

/** The first names of a list and how many more there are. */
export function listSome(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
