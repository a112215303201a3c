import { requireModel } from "../../checkpoint/adapters/adapter.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { isOnnxExport } from "../../checkpoint/onnxExport.ts";
import { EngineError } from "../../contract/index.ts";
import { cacheBytes } from "../decoder/cache.ts";
import { openDecoder } from "../decoder/openDecoder.ts";
import { MAX_ROWS, measureDecoder, planDecoder } from "../decoder/plan.ts";
import { LOGITS_BYTES } from "../decoder/workspace.ts";
import { Recorder } from "../kernels/recorder.ts";
import { onnxRunnable } from "./onnxRunnable.ts";
import type { Runnable } from "./runnable.ts";

/**
 * Way to run a checkpoint, from its headers. `unsupported-architecture`, `bad-config`,
 * `missing-tensor`, `bad-shape`, `bad-dtype` where it cannot be run.
 */
export function findRunnable(checkpoint: Checkpoint): Runnable {
  requireModel(checkpoint);
  if (isOnnxExport(checkpoint)) return onnxRunnable(checkpoint);
  const measured = measureDecoder(checkpoint);
  const { spec, weightBytes } = measured;
  const { contextLength, vocabSize } = spec;
  const readingBytes = (asked: number) => {
    const tokens = Math.min(asked, contextLength);
    return { cache: cacheBytes(spec, tokens), passing: passingBytes(tokens, vocabSize) };
  };
  return {
    contextLength,
    weightBytes,
    readingBytes,
    findRoom(space, tokens) {
      const { cache, passing } = readingBytes(tokens);
      try {
        const { streamed, peakBytes } = planDecoder(space, measured, {});
        const fits = !streamed && peakBytes + cache + passing <= space.freeBytes;
        return fits ? "whole" : "streamed";
      } catch (error) {
        if (error instanceof EngineError && error.code === "gpu-memory") return "none";
        throw error;
      }
    },
    load: (gpu, room, { signal, onLoading }) =>
      openDecoder(gpu, checkpoint, {
        ...(room === "whole" ? {} : { streamed: true }),
        ...(signal ? { signal } : {}),
        ...(onLoading ? { progress: onLoading } : {}),
      }),
  };
}

/**
 * Bytes of readbacks: logits come back pass by pass; targets and losses, four bytes each, all at
 * once.
 */
function passingBytes(tokens: number, vocabSize: number): number {
  const row = 4 * vocabSize;
  const logits = Math.max(row, Math.min(LOGITS_BYTES, Math.min(tokens, MAX_ROWS) * row));
  return logits + 2 * 4 * tokens + Recorder.byteLength;
}
