import { EngineError } from "../contract/index.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { LanguageModel } from "../model/languageModel.ts";
import { isOnnxExport } from "../model/onnxExport.ts";
import { cacheBytes } from "../nn/cache.ts";
import { openDecoder } from "../nn/openDecoder.ts";
import { measureDecoder, planDecoder } from "../nn/plan.ts";
import { onnxRunnable } from "./onnxRunnable.ts";

/** How a model fits what is free of the GPU's budget. */
export type Room =
  | "whole"
  /** With its layers loaded one after the other, in every pass. */
  | "streamed"
  | "none";

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onLoading?: (doneBytes: number, totalBytes: number, label: string) => void;
}

/** A checkpoint that can be run, as far as its headers tell. */
export interface Runnable {
  readonly contextLength: number;
  /** Bytes of its weights on the GPU. */
  readonly weightBytes: number;
  /** Bytes that reading so many tokens takes beside the weights: the cache and a readback. */
  readingBytes(tokens: number): number;
  /** With what reading so many tokens takes. */
  findRoom(gpu: Gpu, tokens: number): Room;
  /** `gpu-memory` where there is no room. */
  load(gpu: Gpu, room: Room, options: LoadOptions): Promise<LanguageModel>;
}

/**
 * Finds out how a checkpoint is run. `unsupported-architecture`, `bad-config`, `missing-tensor`,
 * `bad-shape`, `bad-dtype` where it cannot be.
 */
export function findRunnable(checkpoint: Checkpoint): Runnable {
  if (isOnnxExport(checkpoint)) return onnxRunnable(checkpoint);
  const measured = measureDecoder(checkpoint);
  const { spec, weightBytes } = measured;
  const { contextLength, vocabSize } = spec;
  const readingBytes = (tokens: number) =>
    cacheBytes(spec, Math.min(tokens, contextLength)) + 16 * vocabSize;
  return {
    contextLength,
    weightBytes,
    readingBytes,
    findRoom(gpu, tokens) {
      try {
        const { streamed, peakBytes, budgetBytes } = planDecoder(gpu, measured, {});
        return !streamed && peakBytes + readingBytes(tokens) <= budgetBytes ? "whole" : "streamed";
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
