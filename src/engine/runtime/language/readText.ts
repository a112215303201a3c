import {
  type CallOptions,
  EngineError,
  type GenerateEvent,
  type ModelId,
  type Reading,
  type ReadToken,
} from "../../contract/index.ts";
import { readRows } from "../generate/score.ts";
import { findRunnable } from "./findRunnable.ts";
import { type LanguageParts, tellLoading } from "./generateText.ts";
import { readToken, tokenText } from "./readTokens.ts";
import { checkContext, checkText, checkTopCount } from "./requests.ts";

/**
 * Reads a text once, token by token. `bytes` counts the predicted text: without the first token,
 * which nothing predicts, unless the tokenizer puts a token of its own before it.
 */
export async function readText(
  request: { readonly model: ModelId; readonly text: string; readonly topCount: number },
  parts: LanguageParts,
  { signal, onEvent }: CallOptions<GenerateEvent>,
): Promise<Reading> {
  const { model: id, text, topCount } = request;
  checkTopCount(topCount);
  checkText(text);
  const checkpoint = await parts.library.open(id);
  const { contextLength } = findRunnable(checkpoint);
  const tokenizer = (await parts.openText(checkpoint)).tokenizer();
  const { ids, spans, byteLength } = tokenizer.encode(text, { specialTokens: true });
  const [first] = ids;
  if (first === undefined) throw new EngineError("usage", "There is no text to read.");
  checkContext(ids.length, contextLength, checkpoint.name);
  onEvent?.({ type: "prompt", tokens: ids.length });
  const tokens: ReadToken[] = [
    { id: first, text: tokenText(tokenizer, first), nats: null, top: [] },
  ];
  const given = [...ids.subarray(0, -1)];
  const useOptions = { tokens: ids.length, signal, onLoading: tellLoading(onEvent) };
  await parts.modelCache.use(id, useOptions, async ({ gpu, model }) => {
    if (given.length === 0) return;
    await model.forward(given, {
      ...(signal ? { signal } : {}),
      logits: "all",
      async onLogits(block) {
        const { vocabSize } = model;
        const rows = await readRows(gpu, block, vocabSize);
        for (let row = 0; row < block.rows; row++) {
          const logits = rows.subarray(row * vocabSize, (row + 1) * vocabSize);
          tokens.push(readToken(ids[block.first + row + 1]!, logits, tokenizer, topCount));
        }
      },
    });
  });
  const bytes = byteLength - (spans.bytes[1] ?? 0);
  const nats = tokens.reduce((sum, token) => sum + (token.nats ?? 0), 0);
  return {
    tokens,
    bytes,
    nats,
    natsPerToken: tokens.length > 1 ? nats / (tokens.length - 1) : null,
    bitsPerByte: bytes > 0 && tokens.length > 1 ? nats / Math.LN2 / bytes : null,
  };
}
