import { EngineError } from "../../../contract/index.ts";
import type { ByteSource, FileTree } from "../../../core/bytes.ts";
import { clip } from "../../../core/json.ts";
import { topLevel } from "../../checkpointFormat.ts";
import { readText } from "../../smallFile.ts";
import { MAX_INDEX_BYTES, parseShardIndex } from "./shardIndex.ts";

/** Weight files of a checkpoint, and the file that should hold each tensor. */
export interface WeightFiles {
  readonly paths: readonly string[];
  /** File of each tensor, from the index; null without one. */
  readonly places: ReadonlyMap<string, string> | null;
}

const INDEX = "model.safetensors.index.json";
const SHARD = /^(.+)-(\d{5})-of-(\d{5})\.safetensors$/;

/**
 * Chooses the weight files as transformers does: one file, else those of the index, else shards.
 */
export async function findWeightFiles(files: FileTree, name: string): Promise<WeightFiles> {
  const here = topLevel(files.keys());
  const weights = here.filter((path) => path.endsWith(".safetensors")).sort();
  const index = here.includes(INDEX)
    ? INDEX
    : here.find((path) => path.endsWith(".safetensors.index.json"));
  if (weights.includes("model.safetensors")) {
    return { paths: ["model.safetensors"], places: null };
  }
  if (index === undefined) return { paths: chooseWithoutIndex(weights, files, name), places: null };
  const places = await readIndex(files.get(index)!, index);
  const paths = [...new Set(places.values())].sort();
  refuseMissing(paths, files, `${index} of ${name}`, describeOtherShards(weights));
  return { paths, places };
}

async function readIndex(source: ByteSource, path: string): Promise<ReadonlyMap<string, string>> {
  return parseShardIndex(await readText(source, path, MAX_INDEX_BYTES), path);
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
  // Mistral's consolidated.safetensors repeats all weights under other names.
  const others = weights.filter((path) => path !== "consolidated.safetensors");
  const candidates = others.length > 0 ? others : weights;
  return candidates.filter((path) => !path.startsWith("adapter_") && !isVariant(path, weights));
}

/** Whether a file repeats another's weights: `model.fp16.safetensors` beside `model.safetensors`. */
function isVariant(path: string, weights: readonly string[]): boolean {
  const plain = path.replace(/\.[\w-]+(?=\.safetensors$)/, "");
  return plain !== path && weights.includes(plain);
}

/** Advice for an index whose shards have another numbering than those in the folder. */
function describeOtherShards(weights: readonly string[]): string {
  const first = weights.map((path) => SHARD.exec(path)).find((found) => found !== null);
  if (!first) return "";
  const [path, stem, , count] = first;
  const same = weights.filter((other) => {
    const found = SHARD.exec(other);
    return found?.[1] === stem && found?.[3] === count;
  });
  if (same.length !== Number(count)) return "";
  return `All ${Number(count)} shards of another numbering are there (${clip(path)} and on): take the index that belongs to them, or delete this one.`;
}

function refuseMissing(paths: readonly string[], files: FileTree, who: string, beside = ""): void {
  const absent = paths.filter((path) => !files.has(path));
  const file = absent[0];
  if (file === undefined) return;
  const are = absent.length === 1 ? "1 is" : `${absent.length} are`;
  throw new EngineError(
    "missing-file",
    `${who} needs ${paths.length} weight files; ${are} missing, such as ${clip(file)}. ${beside || "Download the rest and drop the whole folder."}`,
    { file, missing: absent.length },
  );
}
