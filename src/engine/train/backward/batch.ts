import { EngineError } from "../../contract/index.ts";

/** Fused rows of some positions: row t has the entries [starts[t], starts[t + 1]). */
export interface FusedRows {
  /** Offsets, one more than tokens; a position with no entries has no fusion loss. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Token ids in the trained model's vocabulary. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Probabilities, after temperature; with its tail, each row sums to 1. */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** Probability mass of each row outside its entries; absent: none. */
  readonly tails?: Float32Array<ArrayBuffer>;
}

/**
 * A batch of documents, one after the other. Position t predicts the token after it: labels[t] and
 * fused row t.
 */
export interface TrainBatch {
  readonly ids: Uint32Array<ArrayBuffer>;
  /**
   * Start of each document, ascending, the first at 0: attention does not cross a start, and
   * positions count from it.
   */
  readonly documents: readonly number[];
  /** Token that follows each position; not read where the weight is 0, as at a document's end. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** Weight of each position in the loss: 0 for a prompt, else usually 1. */
  readonly weights: Float32Array<ArrayBuffer>;
  readonly fused: FusedRows | null;
  /** Loss = λ · CLM + (1 - λ) · fusion. */
  readonly lambda: number;
}

const usage = (message: string, details: Record<string, number>) =>
  new EngineError("usage", message, details);

/** Throws `usage` unless the batch is consistent and within the limits. */
export function checkBatch(
  batch: TrainBatch,
  limits: { readonly vocabSize: number; readonly tokens: number; readonly contextLength: number },
): void {
  const { ids, labels, weights, fused, lambda } = batch;
  const tokens = ids.length;
  if (tokens === 0 || tokens > limits.tokens) {
    throw usage(`A batch has ${tokens} tokens; this model was opened for 1 to ${limits.tokens}.`, {
      tokens,
      limit: limits.tokens,
    });
  }
  if (labels.length !== tokens || weights.length !== tokens) {
    throw usage(
      `A batch of ${tokens} tokens has ${labels.length} labels and ${weights.length} weights.`,
      { tokens, labels: labels.length, weights: weights.length },
    );
  }
  if (!(lambda >= 0 && lambda <= 1)) {
    throw usage(`λ is ${lambda}; it must lie between 0 and 1.`, { lambda });
  }
  const badWeight = weights.findIndex(
    (weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY),
  );
  if (badWeight >= 0) {
    throw usage(`The weight of position ${badWeight} is no number from 0 on.`, {
      position: badWeight,
    });
  }
  const counted = (_: unknown, t: number) => weights[t] !== 0;
  checkIds(ids, limits.vocabSize, "token");
  checkIds(labels.filter(counted), limits.vocabSize, "label");
  checkDocuments(batch, limits.contextLength);
  if (fused) checkFused(fused, tokens, limits.vocabSize);
}

function checkIds(ids: Uint32Array, vocabSize: number, what: string): void {
  const wrong = ids.find((id) => id >= vocabSize);
  if (wrong === undefined) return;
  throw usage(`${wrong} is no ${what} of this model, whose ids run from 0 to ${vocabSize - 1}.`, {
    id: wrong,
    vocabSize,
  });
}

function checkDocuments({ ids, documents }: TrainBatch, contextLength: number): void {
  for (const [i, start] of documents.entries()) {
    const end = documents[i + 1] ?? ids.length;
    const rightStart = i > 0 || start === 0;
    if (!rightStart || !Number.isInteger(start) || !(end > start)) {
      throw usage(`Document ${i} runs from ${start} to ${end}: starts ascend from 0.`, {
        start,
        end,
      });
    }
    if (end - start > contextLength) {
      throw usage(
        `Document ${i} has ${end - start} tokens, but the model learned ${contextLength} positions.`,
        { document: i, length: end - start, contextLength },
      );
    }
  }
  if (documents.length === 0) throw usage("A batch needs the start of a document, 0.", {});
}

function checkFused(fused: FusedRows, tokens: number, vocabSize: number) {
  const { starts, ids, probabilities, tails } = fused;
  const ascending = starts.every((start, t) => t === 0 || start >= starts[t - 1]!);
  const whole = starts.length === tokens + 1 && starts[0] === 0 && starts[tokens] === ids.length;
  if (!ascending || !whole || ids.length !== probabilities.length) {
    throw usage("The fused rows' starts do not ascend from 0 to the number of their entries.", {
      tokens,
      entries: ids.length,
    });
  }
  checkIds(ids, vocabSize, "fused token");
  const badTail = tails?.findIndex((tail) => !(tail >= 0 && tail <= 1)) ?? -1;
  if (badTail >= 0 || (tails && tails.length !== tokens)) {
    throw usage(
      `The fused rows' tails are ${tails?.length} for ${tokens} tokens; each must be a number from 0 to 1.`,
      { tokens, tails: tails?.length ?? 0, position: badTail },
    );
  }
}
