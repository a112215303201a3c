import type { SortedDrop } from "../../contract/index.ts";
import { isWeightFile } from "../formatRegistry.ts";

const DATA = /\.((jsonl|ndjson|json|csv|tsv)(\.(gz|zst))?|parquet|txt)$/i;
/** Data files that no checkpoint has beside its weights. */
const ONLY_DATA = /\.((jsonl|ndjson|csv|tsv)(\.(gz|zst))?|parquet)$/i;
/** Small files of checkpoints whose endings are those of datasets. */
const CHECKPOINT_TEXT =
  /^(.*config|tokenizer|vocab|added_tokens|special_tokens_map|merges|params|.*\.index|recipe|quantize.*|licen[cs]e|notice|use_policy|readme|sha256sums)\.(json|txt)$/i;

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** Folders above a path, the whole drop ("") first. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

/**
 * Sorts paths into datasets and checkpoints: a dataset has an ending of data, and no folder above
 * it holds weights. Loose files are one folder.
 */
export function sortDropped(paths: readonly string[]): SortedDrop {
  const folderOf = (path: string) => foldersOf(path).at(-1) ?? "";
  const weighty = new Set(paths.filter(isWeightFile).map(folderOf));
  const isData = (path: string) => {
    if (!DATA.test(path) || CHECKPOINT_TEXT.test(nameOf(path))) return false;
    const folders = path.includes("/") ? foldersOf(path) : [""];
    // Beside loose weights, only files that cannot belong to a checkpoint are data.
    if (folders[0] === "" && weighty.has("")) return ONLY_DATA.test(path);
    return !folders.some((folder) => weighty.has(folder));
  };
  const data = paths.filter(isData);
  const taken = new Set(data);
  const rest = paths.filter((path) => !taken.has(path));
  // Other files in a folder of data, such as a licence, are not reported as broken checkpoints.
  const dataFolders = new Set(data.map(folderOf));
  const checkpoints = rest.filter((path) => {
    const folder = folderOf(path);
    return folder === "" || weighty.has(folder) || !dataFolders.has(folder);
  });
  return { checkpoints, data };
}
