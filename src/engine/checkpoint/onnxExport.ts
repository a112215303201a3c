import type { FileTree } from "../core/bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Graph names of decoders from Optimum and transformers.js, the fastest first. */
const NAMES = ["model", "decoder_model_merged", "decoder_model", "decoder_with_past_model"];
/** Suffixes of graph names by precision, the most precise first. */
const PRECISIONS = ["", "fp16", "int8", "quantized", "uint8", "q8", "q4", "q4f16", "int4", "bnb4"];
const GRAPH = new RegExp(`^(onnx/)?(${NAMES.join("|")})(?:_([A-Za-z0-9_]+))?\\.onnx$`);

/** Graph files among a folder's paths. */
export function listGraphs(paths: Iterable<string>): readonly string[] {
  return [...paths].filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path));
}

/**
 * Graph to run: the most precise of those with a decoder's name, preferably in the folder `onnx`;
 * else the only one.
 */
export function chooseGraph(paths: Iterable<string>): string | undefined {
  const graphs = listGraphs(paths);
  const decoders = graphs
    .map((path) => ({ path, rank: rankOf(path) }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => a.rank! - b.rank! || (a.path < b.path ? -1 : 1));
  return decoders[0]?.path ?? (graphs.length === 1 ? graphs[0] : undefined);
}

/** Rank of a graph, smaller first; null where its name is no decoder's. */
function rankOf(path: string): number | null {
  const found = GRAPH.exec(path);
  if (!found) return null;
  const [, folder, name = "", precision = ""] = found;
  const known = PRECISIONS.indexOf(precision.toLowerCase());
  const precise = known < 0 ? PRECISIONS.length : known;
  return (precise * NAMES.length + NAMES.indexOf(name)) * 2 + (folder ? 0 : 1);
}

/** Whether a checkpoint is only an ONNX export, which can be run and has no tensors to merge. */
export function isOnnxExport({ tensors, files }: Checkpoint): boolean {
  return tensors.size === 0 && chooseGraph(files.keys()) !== undefined;
}

/** Bytes of the graph and of the external weights named after it. */
export function exportBytes(files: FileTree): number {
  const stem = chooseGraph(files.keys())?.slice(0, -"onnx".length);
  let byteLength = 0;
  for (const [path, source] of files) {
    if (stem !== undefined && path.startsWith(stem)) byteLength += source.byteLength;
  }
  return byteLength;
}
