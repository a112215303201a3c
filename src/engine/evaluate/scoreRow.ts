import { EngineError } from "../contract/index.ts";
import { utf8Bytes } from "../core/bytes.ts";
import type { Gpu } from "../gpu/device.ts";
import { readCrossEntropy } from "../runtime/generate/score.ts";
import { planWindows } from "../runtime/generate/windows.ts";
import type { LanguageModel } from "../runtime/languageModel.ts";
import type { DatasetRow } from "../text/datasets/datasets.ts";
import { supervisedTokens } from "../text/templates/masks.ts";
import type { ChatTemplate } from "../text/templates/template.ts";
import type { TextTokenizer } from "../text/tokenizers/tokenizer.ts";
import type { Score } from "./statistics.ts";

/** Largest window in tokens: longer ones cost more than they tell. */
const LONGEST_WINDOW = 4096;

/** A tokenised row, with the tokens that are scored; the first never is. */
export interface ReadableRow {
  readonly ids: readonly number[];
  /** 1 for each scored token. */
  readonly counted: Uint8Array;
  /** UTF-8 bytes of the scored text, without control tokens: the same whatever the tokenizer. */
  readonly bytes: number;
}

/**
 * Tokenises a row for scoring. A text is scored from its first token on, after the bos token (or
 * the eos token where there is none), so that models with and without one score the same bytes. In
 * a chat the assistant's replies are scored, with the token that ends each turn. Null where nothing
 * is scored; `bad-config` where the template refuses the chat.
 */
export async function encodeRow(
  row: DatasetRow,
  tokenizer: TextTokenizer,
  template: ChatTemplate | null,
): Promise<ReadableRow | null> {
  if (row.kind === "text") return encodeText(row.text, tokenizer);
  if (!template || row.messages.every(({ role }) => role !== "assistant")) return null;
  const { text, replies } = await template.renderWithReplies(row.messages, {
    addGenerationPrompt: false,
    tools: row.tools ?? null,
  });
  const encoding = tokenizer.encode(text, { specialTokens: false });
  const counted = supervisedTokens(encoding, replies);
  counted[0] = 0; // Nothing stands before it.
  // Bytes of the replies themselves, whatever tokens surround them.
  let bytes = replies.reduce((sum, { start, end }) => sum + utf8Bytes(text.slice(start, end)), 0);
  for (const [i, id] of encoding.ids.entries()) {
    if (counted[i] !== 1 || !tokenizer.isSpecial(id)) continue;
    bytes -= encoding.spans.bytes[i + 1]! - encoding.spans.bytes[i]!;
  }
  return bytes > 0 ? { ids: [...encoding.ids], counted, bytes } : null;
}

function encodeText(text: string, tokenizer: TextTokenizer): ReadableRow | null {
  const { ids, spans, byteLength } = tokenizer.encode(text, { specialTokens: false });
  const start = tokenizer.bosId ?? tokenizer.eosId;
  const all = start === null ? [...ids] : [start, ...ids];
  const counted = new Uint8Array(all.length).fill(1);
  counted[0] = 0;
  const bytes = byteLength - (start === null ? (spans.bytes[1] ?? 0) : 0);
  return all.length > 1 && bytes > 0 ? { ids: all, counted, bytes } : null;
}

/** Result of `encodeRow`, or the template's refusal, as some refuse two turns of one role. */
export async function tryEncodeRow(
  ...parts: Parameters<typeof encodeRow>
): Promise<ReadableRow | null | EngineError> {
  try {
    return await encodeRow(...parts);
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-config") return error;
    throw error;
  }
}

/** Tokens of a window in an evaluation. */
export function windowOf(contextLength: number): number {
  return Math.max(2, Math.min(contextLength, LONGEST_WINDOW));
}

export interface ScoreOptions {
  readonly signal: AbortSignal;
  /** Tokens of a window; `windowOf` the model's context by default. */
  readonly window?: number;
  /** Tokens from one window to the next, less than a window; half of one by default. */
  readonly stride?: number;
  /** Called before each window with the number of tokens done. */
  readonly onRead?: (tokens: number) => void;
}

/** Scores a row in overlapping windows: each token in the first window that contains it. */
export async function scoreRow(
  gpu: Gpu,
  model: LanguageModel,
  { ids, counted, bytes }: ReadableRow,
  { signal, onRead, window = windowOf(model.contextLength), stride = window >> 1 }: ScoreOptions,
): Promise<Score> {
  let nats = 0;
  let tokens = 0;
  for (const { start, scoredFrom, end } of planWindows(ids.length, window, stride)) {
    signal.throwIfAborted();
    onRead?.(scoredFrom);
    // Windows without scored tokens are skipped.
    if (!counted.subarray(scoredFrom, end).includes(1)) continue;
    const each = await readCrossEntropy(gpu, model, ids.slice(start, end), { signal });
    for (let i = scoredFrom; i < end; i++) {
      if (counted[i] !== 1) continue;
      nats += each[i - start - 1]!;
      tokens += 1;
    }
  }
  return { nats, tokens, bytes };
}
