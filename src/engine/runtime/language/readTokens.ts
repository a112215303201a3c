import type { ReadToken } from "../../contract/index.ts";
import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of a token; bytes that are no whole characters as `<E2><80>`, an unused id as `<id 7>`. */
export function tokenText(tokenizer: Pick<TextTokenizer, "tokenBytes">, id: number): string {
  const bytes = tokenizer.tokenBytes(id);
  if (bytes.byteLength === 0) return `<id ${id}>`;
  try {
    return UTF8.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => `<${hex(byte)}>`).join("");
  }
}

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");

/** ln Σ exp of a row of logits, in float64. */
export function logSumExp(logits: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}

/** The ids of the `count` largest logits, the largest first; equal ones in the order of their ids. */
export function largestIds(logits: Float32Array, count: number): readonly number[] {
  const ids: number[] = [];
  if (count <= 0) return ids;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    const last = ids.at(-1);
    if (ids.length === count && !(logit > logits[last!]!)) continue;
    if (Number.isNaN(logit)) continue;
    let at = ids.length;
    while (at > 0 && logit > logits[ids[at - 1]!]!) at--;
    ids.splice(at, 0, id);
    if (ids.length > count) ids.pop();
  }
  return ids;
}

/** A token with its surprisal and alternatives; `logits` has one value for each id. */
export function readToken(
  id: number,
  logits: Float32Array,
  tokenizer: Pick<TextTokenizer, "tokenBytes">,
  topCount: number,
): ReadToken {
  const total = logSumExp(logits);
  return {
    id,
    text: tokenText(tokenizer, id),
    nats: total - logits[id]!,
    top: largestIds(logits, topCount).map((each) => ({
      text: tokenText(tokenizer, each),
      probability: Math.exp(logits[each]! - total),
    })),
  };
}
