import { defineFormat } from "../checkpointFormat.ts";
import { chooseGraph, listGraphs } from "../onnxExport.ts";
import { listSome } from "../smallFile.ts";

const ONNX = /\.onnx([._]data\w*)?$/;

/** ONNX export: a graph with its weights, which can be run and has no tensors to merge. */
export default defineFormat({
  title: "ONNX",
  order: 40,
  isWeights: (path) => ONNX.test(path),
  match: (paths) => paths.includes("config.json") && chooseGraph(paths) !== undefined,
  async open(files) {
    const graph = chooseGraph(files.keys())!;
    const others = listGraphs(files.keys()).filter((path) => path !== graph);
    const notes = [`An ONNX export (${graph}): to run, not to merge.`];
    if (others.length > 0) {
      notes.push(
        `Of ${others.length + 1} graphs ${graph} runs, the most precise. Not run: ${listSome(others)}.`,
      );
    }
    const own = [...files.keys()].filter((path) => ONNX.test(path));
    return { tensors: new Map(), files: own, notes };
  },
});
