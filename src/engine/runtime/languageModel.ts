import { EngineError } from "../contract/index.ts";

/** Key-value cache of the tokens that a model has read. */
export interface TokenCache {
  /** Tokens read so far. */
  readonly length: number;
  /** Tokens that there is room for. */
  readonly capacity: number;
  /** Drops all but the first `length` tokens. */
  truncate(length: number): void;
  release(): void;
}

/** Values of neighbouring positions, on the GPU, in f32: one row a position. */
export interface PositionRows {
  readonly buffer: GPUBuffer;
  /** Position of the first row among the ids of this call. */
  readonly first: number;
  readonly rows: number;
  /** Stride of the rows, in values. */
  readonly rowStride: number;
}

/** Logits: the first `vocabSize` values of each row. */
export type LogitsBlock = PositionRows;

/** Hidden states at the input of a layer, its residual: all values of each row. */
export interface LayerInput extends PositionRows {
  /** Layer, from 0, whose input it is; layer 0 reads the embeddings. */
  readonly layer: number;
}

export interface ForwardOptions {
  /** Cache to continue from and to add the new tokens to; absent: none is kept. */
  readonly cache?: TokenCache;
  readonly signal?: AbortSignal;
  /** Positions whose logits are wanted: all, or the last. */
  readonly logits: "all" | "last";
  /** Called in order; the block may be overwritten once the promise resolves. */
  readonly onLogits: (block: LogitsBlock) => Promise<void> | void;
  /**
   * Called before each layer runs, pass by pass, for observers of hidden states. A model without
   * layers of its own (an ONNX export) refuses it: `unsupported-architecture`.
   */
  readonly onLayerInput?: (input: LayerInput) => Promise<void> | void;
}

/** Computes logits from tokens on the GPU. One call runs at a time. */
export interface LanguageModel {
  readonly vocabSize: number;
  /** Tokens that the model was trained for. */
  readonly contextLength: number;
  /** Most tokens that it can read: more than it was trained for, unless positions are learned. */
  readonly maxTokens: number;
  /** Cache with room for `capacity` tokens; `gpu-memory` where there is none. */
  newCache(capacity: number): TokenCache;
  /**
   * Reads `ids`, each below `vocabSize`. `usage` for ids that are not, for none, and for more than
   * the cache has room for; `cancelled` when the signal aborts.
   */
  forward(ids: readonly number[], options: ForwardOptions): Promise<void>;
  release(): void;
}

/**
 * Checks the arguments of `forward`: `usage` for ids that are no tokens, for none, and for more
 * than fit `room` after the `before` tokens of the cache.
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
