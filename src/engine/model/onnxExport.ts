import type { FileTree } from "../base/bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Optimum's name for a decoder's graph, in the places where exports lie. */
const USUAL = ["onnx/model.onnx", "model.onnx"];

/** The graphs among a folder's files, as its paths say. */
export function listGraphs(paths: Iterable<string>): readonly string[] {
  return [...paths].filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path));
}

/** The graph to run: Optimum's, else the only one there is. */
export function chooseGraph(paths: Iterable<string>): string | undefined {
  const graphs = listGraphs(paths);
  return (
    USUAL.find((path) => graphs.includes(path)) ?? (graphs.length === 1 ? graphs[0] : undefined)
  );
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
