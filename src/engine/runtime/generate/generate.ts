import { EngineError } from "../../contract/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { LanguageModel } from "../languageModel.ts";
import { type Sampling, sampleToken } from "./sample.ts";
import { readLogits } from "./score.ts";

/** A drawn token and the logits that it was drawn from, before any penalty. */
export interface GeneratedToken {
  readonly id: number;
  readonly logits: Float32Array;
}

/**
 * Draws tokens after a prompt: up to `tokens` of them, as many as the model can read, or until one
 * of `stopIds`, which is returned last. `usage` for a prompt that is too long; `cancelled` when the
 * signal aborts; leaving the loop frees the cache, too.
 */
export async function* generate(
  gpu: Gpu,
  model: LanguageModel,
  prompt: readonly number[],
  options: {
    readonly tokens: number;
    readonly sampling: Sampling;
    readonly stopIds?: readonly number[];
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<GeneratedToken, void, void> {
  if (prompt.length === 0) {
    throw new EngineError("usage", "A prompt must have at least one token.");
  }
  const { sampling, stopIds = [], signal } = options;
  if (options.tokens <= 0) return;
  const tokens = Math.max(1, Math.min(options.tokens, model.maxTokens - prompt.length + 1));
  // The last drawn token is not read, so it needs no room.
  const cache = model.newCache(prompt.length + tokens - 1);
  const read = signal ? { cache, signal } : { cache };
  try {
    const ids = [...prompt];
    let next: readonly number[] = prompt;
    for (let step = 0; step < tokens; step++) {
      signal?.throwIfAborted();
      const logits = await readLogits(gpu, model, next, "last", read);
      const id = sampleToken(logits, ids, step, sampling);
      yield { id, logits };
      if (stopIds.includes(id)) return;
      ids.push(id);
      next = [id];
    }
  } finally {
    cache.release();
  }
}
