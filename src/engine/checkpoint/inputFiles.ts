import type { FileTree } from "../core/bytes.ts";
import type { InputFiles } from "../core/inputs.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { companionFiles } from "./companions.ts";
import { isOnnxExport } from "./onnxExport.ts";

const CONFIG = /^(config\.json|[^/]+\.safetensors\.index\.json)$/;
const GRAPH = /\.onnx(_data\w*|\.data)?$/;

/** Files that work with a checkpoint reads: weights, config, tokenizer and others. */
function inputFiles(checkpoint: Checkpoint): FileTree {
  const { files, weightFiles } = checkpoint;
  const weights = new Set(weightFiles);
  const companions = companionFiles(checkpoint);
  const graphs = isOnnxExport(checkpoint);
  return new Map(
    [...files].filter(
      ([path]) =>
        weights.has(path) ||
        companions.has(path) ||
        CONFIG.test(path) ||
        (graphs && GRAPH.test(path)),
    ),
  );
}

/** Input files of several checkpoints, under their names. */
export function inputsOf(checkpoints: Iterable<Checkpoint>): InputFiles {
  return [...new Set(checkpoints)].flatMap((checkpoint) =>
    [...inputFiles(checkpoint)].map(([path, source]) => {
      return [`${checkpoint.name}/${path}`, source] as const;
    }),
  );
}
