import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { EngineError } from "../contract/index.ts";
import type { FusedRecord } from "../fuse/dataset/records.ts";
import { textOf } from "../fuse/documents/tokenise.ts";
import { openTokenizer } from "../text/tokenizers/tokenizer.ts";

/** Number of tokens compared, and the least fraction of them whose text must agree. */
const LOOKED_AT = 256;
const SAME_PART = 0.5;

/**
 * Refuses a dataset of another tokenizer, whose ids mean other tokens: `mismatch`. Not every token
 * must agree: control tokens and leading spaces have several spellings.
 */
export async function requireSameTokens(
  pivot: Checkpoint,
  records: AsyncIterable<FusedRecord>,
): Promise<void> {
  const tokenizer = await openTokenizer(pivot.files);
  if (!tokenizer) return;
  let [looked, same] = [0, 0];
  for await (const { document, pivot: said } of records) {
    const text = new TextEncoder().encode(textOf(document.pieces));
    const { ids, ends } = said.tokens;
    for (let t = 1; t < ids.length && looked < LOOKED_AT; t++) {
      const read = text.subarray(ends[t - 1], ends[t]);
      if (read.byteLength === 0) continue;
      looked += 1;
      const bytes = tokenizer.tokenBytes(ids[t]!);
      same += Number(bytes.join() === read.join());
    }
    if (looked >= LOOKED_AT) break;
  }
  if (same >= SAME_PART * looked) return;
  throw new EngineError(
    "mismatch",
    `The fused dataset is in the tokens of another tokenizer than that of ${pivot.name}: of ${looked} tokens ${looked - same} stand for another text. Train the pivot that it was made for.`,
    { looked, different: looked - same },
  );
}
