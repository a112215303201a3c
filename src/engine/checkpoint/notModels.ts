import { EngineError } from "../contract/index.ts";
import type { FileTree } from "../core/bytes.ts";
import { topLevel } from "./checkpointFormat.ts";
import { listSome } from "./smallFile.ts";

/** Files without weights by name, with a sentence on what to do with them. */
const KINDS: readonly (readonly [names: RegExp, sentence: string])[] = [
  [
    /\.(zip|7z|rar|tar|tgz|gz|xz|zst)$/i,
    "is an archive, which is not looked into: unpack it and take the folder inside.",
  ],
  [
    /\.ya?ml$/i,
    "is a recipe by its name, not a model: open it on the Merge screen, or run it with `studio merge`.",
  ],
  [
    /\.(csv|tsv|jsonl|ndjson|parquet|arrow)$/i,
    "holds rows of data, not weights: datasets are for the Fuse screen and its commands.",
  ],
  [
    /\.(py|ipynb|sh)$/i,
    "is code, not a model: take the folder that holds config.json and the weights.",
  ],
  [/\.(png|jpe?g|webp|gif|pdf|mp4|wav)$/i, "is a picture, a document or a recording, not a model."],
  [
    /(^|\/)(config|tokenizer|tokenizer_config|generation_config|special_tokens_map|vocab|added_tokens)\.json$|(^|\/)(merges\.txt|tokenizer\.model)$/,
    "belongs to a model, but its weights did not come along: take the whole folder, with model.safetensors or all of its shards.",
  ],
];

/** File in the Hub's cache named by its hash. */
const BLOB = /(^|\/)blobs\/[0-9a-f]{40,64}$/;

/** Sentence about files that are no checkpoint, from the first known kind among them. */
export function describeFiles(paths: readonly string[]): string | null {
  if (paths.some((path) => BLOB.test(path)) && !paths.some((path) => path.includes("snapshots/"))) {
    return "These are the blobs of the Hub's cache, whose files are called by their hashes: the links in snapshots/ that name them did not come along. Take the folder snapshots/<commit> with a program that follows links, or download the model with: hf download OWNER/NAME --local-dir FOLDER.";
  }
  for (const [names, sentence] of KINDS) {
    const path = paths.find((each) => names.test(each));
    if (path === undefined) continue;
    const rest =
      paths.length > 1 ? ` (There are ${paths.length} files, and none holds weights.)` : "";
    return `${path.slice(-200)} ${sentence}${rest}`;
  }
  return null;
}

/** Error for a folder or file that no format matches. */
export function notACheckpoint(files: FileTree, name: string): EngineError {
  const here = topLevel(files.keys());
  if (here.includes("model_index.json")) return pipelineError(files, name);
  const known = describeFiles(here);
  if (known !== null)
    return new EngineError("missing-file", known, { model: name, files: files.size });
  const instead = here.length > 0 ? `, only ${listSome(here)}` : "";
  return new EngineError(
    "missing-file",
    `${name} has no weights: no .safetensors file${instead}. Take the folder that holds config.json and model.safetensors.`,
    { model: name, files: files.size },
  );
}

/** Error for a pipeline of diffusers, each of whose models has a folder. */
function pipelineError(files: FileTree, name: string): EngineError {
  const folders = [...files.keys()].flatMap(
    (path) => /^([^/]+)\/.*\.safetensors$/.exec(path)?.[1] ?? [],
  );
  const parts = [...new Set(folders)];
  const instead = parts.length > 0 ? `: ${listSome(parts)}` : ", each in a folder with its weights";
  return new EngineError(
    "missing-file",
    `${name} is a pipeline of diffusers, made of several models${instead}. Take these one by one, put each result back into its folder, and keep the rest of the pipeline as it is.`,
    { model: name, parts: parts.length },
  );
}
