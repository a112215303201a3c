import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { isOnnxExport } from "../../checkpoint/onnxExport.ts";
import { EngineError } from "../../contract/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { GpuSpace } from "../../gpu/space.ts";
import { cacheBytes } from "../decoder/cache.ts";
import { openDecoder } from "../decoder/openDecoder.ts";
import { MAX_ROWS, measureDecoder, planDecoder } from "../decoder/plan.ts";
import { LOGITS_BYTES } from "../decoder/workspace.ts";
import { Recorder } from "../kernels/recorder.ts";
import type { LanguageModel } from "../languageModel.ts";
import { onnxRunnable } from "./onnxRunnable.ts";

/** Tokens that a model is loaded with room for, beside what its first use asks for. */
export const USUAL_TOKENS = 1024;

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

/** Bytes of GPU memory that one reading takes. */
export interface ReadingBytes {
  /** Keys and values, for as long as it lasts. */
  readonly cache: number;
  /** What comes and goes: readbacks of logits, losses and their targets. */
  readonly passing: number;
}

/** A checkpoint that can be run, as far as its headers tell. */
export interface Runnable {
  readonly contextLength: number;
  /** Bytes of its weights on the GPU. */
  readonly weightBytes: number;
  /** What reading so many tokens takes beside the weights. */
  readingBytes(tokens: number): ReadingBytes;
  /** With what reading so many tokens takes. */
  findRoom(space: GpuSpace, tokens: number): Room;
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

/** Logits of many tokens come back pass by pass; targets and losses, four bytes each, all at once. */
function passingBytes(tokens: number, vocabSize: number): number {
  const row = 4 * vocabSize;
  const logits = Math.max(row, Math.min(LOGITS_BYTES, Math.min(tokens, MAX_ROWS) * row));
  return logits + 2 * 4 * tokens + Recorder.byteLength;
}
