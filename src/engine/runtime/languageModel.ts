import { EngineError } from "../contract/index.ts";

/** What a model remembers of the tokens it has read: keys and values of every layer. */
export interface TokenCache {
  /** Tokens read so far. */
  readonly length: number;
  /** Tokens there is room for. */
  readonly capacity: number;
  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void;
  release(): void;
}

/** Logits of some neighbouring positions, on the GPU, as f32. */
export interface LogitsBlock {
  readonly buffer: GPUBuffer;
  /** The first row's position among the ids of this call. */
  readonly first: number;
  readonly rows: number;
  /** Values from one row to the next; the first `vocabSize` of them are the logits. */
  readonly rowStride: number;
}

export interface ForwardOptions {
  /** Continues after the tokens in here, and adds the new ones; without it nothing is kept. */
  readonly cache?: TokenCache;
  readonly signal?: AbortSignal;
  /** Whose logits are wanted: of all positions, or of the last one. */
  readonly logits: "all" | "last";
  /** Called in order; the block is the model's again when the promise resolves. */
  readonly onLogits: (block: LogitsBlock) => Promise<void> | void;
}

/** Tokens to logits on the GPU, however the model computes. One call runs at a time. */
export interface LanguageModel {
  readonly vocabSize: number;
  /** Tokens the model was trained to see. */
  readonly contextLength: number;
  /** Tokens it can read at all: more than it was trained to see, unless positions are learned. */
  readonly maxTokens: number;
  /** Room for `capacity` tokens; `gpu-memory` where there is none. */
  newCache(capacity: number): TokenCache;
  /**
   * Reads `ids`, each below `vocabSize`. `usage` for ids that are not, for none, and for more than
   * the cache has room for; `cancelled` when the signal aborts.
   */
  forward(ids: readonly number[], options: ForwardOptions): Promise<void>;
  release(): void;
}

/**
 * Refuses what `forward` cannot read: `usage` for ids that are no tokens, for none, and for more than
 * there is `room` for beside the `before` that the cache holds.
 */
export function checkTokens(
  ids: readonly number[],
  {
    vocabSize,
    before,
    room,
  }: { readonly vocabSize: number; readonly before: number; readonly room: number },
): void {
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (wrong !== undefined) {
    throw new EngineError(
      "usage",
      `${wrong} is no token of this model, whose ids run from 0 to ${vocabSize - 1}.`,
      { id: wrong, vocabSize },
    );
  }
  if (ids.length === 0) throw new EngineError("usage", "There are no tokens to read.");
  const length = before + ids.length;
  if (length <= room) return;
  throw new EngineError("usage", `${length} tokens are more than there is room for: ${room}.`, {
    length,
    room,
  });
}
