import { EngineError } from "../contract/index.ts";
import type { Gpu } from "../gpu/device.ts";
import { cacheBytes } from "../nn/cache.ts";
import { type MeasuredDecoder, planDecoder } from "../nn/plan.ts";
import type { DecoderSpec } from "../nn/spec.ts";

/** Bytes on the GPU that reading so many tokens takes beside the weights: the cache and a readback. */
export function keyValueBytes(spec: DecoderSpec, tokens: number): number {
  return cacheBytes(spec, Math.min(tokens, spec.contextLength)) + 16 * spec.vocabSize;
}

/**
 * How a model fits what is free of the budget, with the cache for so many tokens: `whole`, with its
 * layers loaded one after the other (`streamed`), or not at all (`none`).
 */
export function findRoom(
  gpu: Gpu,
  measured: MeasuredDecoder,
  tokens: number,
): "whole" | "streamed" | "none" {
  try {
    const { streamed, peakBytes, budgetBytes } = planDecoder(gpu, measured, {});
    const fits = !streamed && peakBytes + keyValueBytes(measured.spec, tokens) <= budgetBytes;
    return fits ? "whole" : "streamed";
  } catch (error) {
    if (error instanceof EngineError && error.code === "gpu-memory") return "none";
    throw error;
  }
}
