import { f16ToF32Bits, f32BitsToF16 } from "../../core/tensor/convert.ts";
import type { OpenLanguage } from "../../runtime/language/modelCache.ts";
import type { Representation } from "../dataset/records.ts";
import type { TokenisedDocument } from "../documents/tokenise.ts";
import { readTopRows, type WantedRow } from "./topRows.ts";

/** The largest finite f16. */
const MOST_F16 = 65504;

/** What a model says about a document, and what of it could not be used. */
export interface Represented {
  readonly said: Representation;
  /** Rows in which a column that is no token of the tokenizer was among the largest. */
  readonly paddingOnTop: number;
}

export interface RepresentOptions {
  readonly k: number;
  /** One more than the highest id of the tokenizer. */
  readonly tokens: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a document with a model and keeps its likeliest tokens before each supervised one. Rows that
 * hold NaN or infinity are left out; so are all where the model has no row for one of the tokens.
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
  const logits = top.logits.map(asF16);
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
    logSums: Float32Array.from(kept, (row) => top.logSums[row]!),
    goldNats: Float32Array.from(kept, (row) => top.nats[row]!),
  };
  for (const [at, row] of kept.entries()) {
    // Rounding makes ties: the smaller id comes first in those, too.
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

/** Rows that a document has where nothing is left out: one before each supervised token. */
export function wantedRows(ids: Uint32Array, supervised: Uint8Array): readonly WantedRow[] {
  const wanted: WantedRow[] = [];
  for (let at = 1; at < ids.length; at++) {
    if (supervised[at] === 1) wanted.push({ position: at - 1, target: ids[at]! });
  }
  return wanted;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Rounded to f16; a logit of -∞, which is no chance at all, to the lowest there is. */
function asF16(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return -MOST_F16;
  float[0] = value;
  word[0] = f16ToF32Bits(f32BitsToF16(word[0]!));
  return float[0]!;
}
