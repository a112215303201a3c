import type { FileTree } from "../core/bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What Optimum and transformers.js call a decoder's graph, what runs best first. */
const NAMES = ["model", "decoder_model_merged", "decoder_model", "decoder_with_past_model"];
/** What they write behind the name, the most precise first. */
const PRECISIONS = ["", "fp16", "int8", "quantized", "uint8", "q8", "q4", "q4f16", "int4", "bnb4"];
const GRAPH = new RegExp(`^(onnx/)?(${NAMES.join("|")})(?:_([A-Za-z0-9_]+))?\\.onnx$`);

/** The graphs among a folder's files, as its paths say. */
export function listGraphs(paths: Iterable<string>): readonly string[] {
  return [...paths].filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path));
}

/**
 * The graph to run: the most precise of those with a decoder's name, in the folder `onnx` rather than
 * beside it; else the only one there is.
 */
export function chooseGraph(paths: Iterable<string>): string | undefined {
  const graphs = listGraphs(paths);
  const decoders = graphs
    .map((path) => ({ path, rank: rankOf(path) }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => a.rank! - b.rank! || (a.path < b.path ? -1 : 1));
  return decoders[0]?.path ?? (graphs.length === 1 ? graphs[0] : undefined);
}

/** Smaller runs first; null for a graph that is no decoder by its name. */
function rankOf(path: string): number | null {
  const found = GRAPH.exec(path);
  if (!found) return null;
  const [, folder, name = "", precision = ""] = found;
  const known = PRECISIONS.indexOf(precision.toLowerCase());
  const precise = known < 0 ? PRECISIONS.length : known;
  return (precise * NAMES.length + NAMES.indexOf(name)) * 2 + (folder ? 0 : 1);
}

/** True for a checkpoint that is only an ONNX export: it can be run, but has no tensors to merge. */
export function isOnnxExport({ tensors, files }: Checkpoint): boolean {
  return tensors.size === 0 && chooseGraph(files.keys()) !== undefined;
}

/** Bytes of the graph and of what lies beside it under its name: its weights, as exporters write. */
export function exportBytes(files: FileTree): number {
  const stem = chooseGraph(files.keys())?.slice(0, -"onnx".length);
  let byteLength = 0;
  for (const [path, source] of files) {
    if (stem !== undefined && path.startsWith(stem)) byteLength += source.byteLength;
  }
  return byteLength;
}
