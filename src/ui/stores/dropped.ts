import type { DroppedFile } from "../../engine/contract/index.ts";

const DATA = /\.(jsonl|ndjson|json|parquet|txt)$/i;
const WEIGHTS = /\.(safetensors|bin|pth?|gguf|onnx|msgpack|h5|npz)$/i;
/** Small files of checkpoints, which end as datasets do. */
const CHECKPOINT_TEXT =
  /^(.*config|tokenizer|vocab|added_tokens|special_tokens_map|merges|params|.*\.index|recipe|quantize.*|licen[cs]e|notice|use_policy|readme|sha256sums)\.(json|txt)$/i;

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** The folders that a path lies in, the whole drop ("") first. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

/**
 * Tells datasets from checkpoints: a dataset's file has an ending of data, and no folder that it lies
 * in holds weights. Loose files are one folder.
 */
export function splitDropped(files: readonly DroppedFile[]): {
  readonly checkpoints: readonly DroppedFile[];
  readonly data: readonly DroppedFile[];
} {
  const folderOf = (path: string) => foldersOf(path).at(-1) ?? "";
  const weighty = new Set(
    files.filter(({ path }) => WEIGHTS.test(path)).map(({ path }) => folderOf(path)),
  );
  const isData = ({ path }: DroppedFile) => {
    if (!DATA.test(path) || CHECKPOINT_TEXT.test(nameOf(path))) return false;
    const folders = path.includes("/") ? foldersOf(path) : [""];
    // Beside weights that were dropped loose, only what can be nothing else is data.
    if (folders[0] === "" && weighty.has("")) return /\.(jsonl|ndjson|parquet)$/i.test(path);
    return !folders.some((folder) => weighty.has(folder));
  };
  const data = files.filter(isData);
  const taken = new Set(data);
  const rest = files.filter((file) => !taken.has(file));
  // What lies about in a folder of data, a licence or a readme, is no checkpoint to complain about.
  const dataFolders = new Set(data.map(({ path }) => folderOf(path)));
  const checkpoints = rest.filter(({ path }) => {
    const folder = folderOf(path);
    return folder === "" || weighty.has(folder) || !dataFolders.has(folder);
  });
  return { checkpoints, data };
}
