import type { OpenLanguage } from "../../runtime/language/modelCache.ts";
import type { Representation } from "../dataset/records.ts";
import type { TokenisedDocument } from "../documents/tokenise.ts";
import { toF16 } from "../rounding.ts";
import { readTopRows, type WantedRow } from "./topRows.ts";

/** One model's predictions for a document, and the number of unusable rows. */
export interface Represented {
  readonly said: Representation;
  /** Number of rows in which a column that is no token was among the largest. */
  readonly paddingOnTop: number;
}

/**
 * What is kept of a distribution: raw logits, as the references keep them, or log-probabilities, which
 * are the logits whose log-sum-exp is 0. Their f16 is finest where a probability is large: a token of
 * probability above 1/e is off by at most 2^-12 of itself, from raw logits near 20 by 2^-7.
 */
export type LogitScale = "raw" | "log-probabilities";

export interface RepresentOptions {
  readonly k: number;
  readonly scale: LogitScale;
  /** One more than the tokenizer's highest id. */
  readonly tokens: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a document with a model and keeps the largest logits before each supervised token. Rows
 * with NaN or infinity are left out; all rows are where the model has no row for one of the tokens.
 */
export async function represent(
  { gpu, model }: OpenLanguage,
  { tokens, supervised }: TokenisedDocument,
  options: RepresentOptions,
): Promise<Represented> {
  const { ids } = tokens;
  const known = ids.every((id) => id < model.vocabSize);
  const wanted = known ? wantedRows(ids, supervised) : [];
  const top = await readTopRows(gpu, model, [...ids], wanted, options);
  const { k } = top;
  const shifts = options.scale === "raw" ? new Float32Array(wanted.length) : top.logSums;
  const logits = top.logits.map((logit, i) => toF16(logit - shifts[Math.floor(i / k)]!));
  const kept = wanted.flatMap((_, row) => {
    const whole = logits.subarray(row * k, (row + 1) * k).every(Number.isFinite);
    return top.broken[row] === 0 && whole ? [row] : [];
  });
  const said: Representation = {
    tokens,
    k,
    positions: Uint32Array.from(kept, (row) => wanted[row]!.position),
    ids: new Uint32Array(kept.length * k),
    logits: new Float32Array(kept.length * k),
    logSums: Float32Array.from(kept, (row) => top.logSums[row]! - shifts[row]!),
    goldNats: Float32Array.from(kept, (row) => top.nats[row]!),
  };
  for (const [at, row] of kept.entries()) {
    // Rounding can create ties, in which the smaller id comes first, too.
    const order = Array.from({ length: k }, (_, i) => row * k + i).sort(
      (a, b) => logits[b]! - logits[a]! || top.ids[a]! - top.ids[b]!,
    );
    for (const [i, from] of order.entries()) {
      said.ids[at * k + i] = top.ids[from]!;
      said.logits[at * k + i] = logits[from]!;
    }
  }
  return { said, paddingOnTop: top.paddingOnTop };
}

/** Rows of a document where none is left out: one before each supervised token. */
export function wantedRows(ids: Uint32Array, supervised: Uint8Array): readonly WantedRow[] {
  const wanted: WantedRow[] = [];
  for (let at = 1; at < ids.length; at++) {
    if (supervised[at] === 1) wanted.push({ position: at - 1, target: ids[at]! });
  }
  return wanted;
}
