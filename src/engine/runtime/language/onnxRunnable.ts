import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { exportBytes } from "../../checkpoint/onnxExport.ts";
import { contextLengthOf } from "../onnx/context.ts";
import { openOnnx } from "../onnx/openOnnx.ts";
import type { Runnable } from "./runnable.ts";

/** Our readbacks of logits beside ONNX Runtime's, which are as large. */
const LOGITS_BYTES = 2 * 16 * 2 ** 20;

/** Way to run an ONNX export; whether its graph is a decoder's is only known after loading. */
export function onnxRunnable({ name, config, files }: Checkpoint): Runnable {
  const contextLength = contextLengthOf(config, name);
  const weightBytes = exportBytes(files);
  // Lower bound of the graph's cache: keys and values of all heads in f32.
  const tokenBytes = 2 * 4 * (config?.layers ?? 0) * (config?.hiddenSize ?? 0);
  const readingBytes = (tokens: number) => ({
    cache: tokenBytes * Math.min(tokens, contextLength),
    passing: LOGITS_BYTES,
  });
  return {
    contextLength,
    weightBytes,
    readingBytes,
    findRoom({ freeBytes }, tokens) {
      const { cache, passing } = readingBytes(tokens);
      return weightBytes + cache + passing <= freeBytes ? "whole" : "none";
    },
    load: (gpu, _, { signal, onLoading }) =>
      openOnnx(gpu, files, {
        name,
        ...(signal ? { signal } : {}),
        ...(onLoading ? { progress: onLoading } : {}),
      }),
  };
}
