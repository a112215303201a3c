import type { LibraryReader } from "../../checkpoint/library/library.ts";
import {
  type CallOptions,
  EngineError,
  type GenerateEvent,
  type GenerateRequest,
  type Generation,
  type Prompt,
} from "../../contract/index.ts";
import { missingTemplate } from "../../text/templates/template.ts";
import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import { generate } from "../generate/generate.ts";
import { findRunnable } from "./findRunnable.ts";
import type { LanguageText, OpenLanguageText } from "./languageFiles.ts";
import type { ModelCache } from "./modelCache.ts";
import { readToken } from "./readTokens.ts";
import { checkContext, checkGenerate, checkText } from "./requests.ts";

/** Parts of the engine that run models of the library. */
export interface LanguageParts {
  readonly library: LibraryReader;
  readonly modelCache: ModelCache;
  readonly openText: OpenLanguageText;
}

/** Draws tokens after a prompt and reports each as an event. */
export async function generateText(
  request: GenerateRequest,
  parts: LanguageParts,
  { signal, onEvent }: CallOptions<GenerateEvent>,
): Promise<Generation> {
  checkGenerate(request);
  const { model: id, prompt, sampling, topCount } = request;
  const checkpoint = await parts.library.open(id);
  const { contextLength } = findRunnable(checkpoint);
  const language = await parts.openText(checkpoint);
  const tokenizer = language.tokenizer();
  const ids = await encodePrompt(prompt, language, tokenizer, checkpoint.name);
  checkContext(ids.length + 1, contextLength, checkpoint.name);
  const tokens = Math.min(request.maxTokens, contextLength - ids.length);
  onEvent?.({ type: "prompt", tokens: ids.length });
  const useOptions = { tokens: ids.length + tokens, signal, onLoading: tellLoading(onEvent) };
  return parts.modelCache.use(id, useOptions, async ({ gpu, model }) => {
    const { stopIds } = tokenizer;
    const stream = tokenizer.openStream({ skipSpecial: true, continues: prompt.kind === "text" });
    let text = "";
    let drawn = 0;
    let begun = 0;
    let end: Generation["end"] = "length";
    const options = { tokens, sampling, stopIds, ...(signal ? { signal } : {}) };
    for await (const { id: next, logits } of generate(gpu, model, ids, options)) {
      // The first token is not timed: it includes the prompt and the compilation of kernels.
      if (drawn === 0) begun = performance.now();
      drawn += 1;
      if (stopIds.includes(next)) end = "stop";
      const complete = stream.push(next);
      text += complete;
      const token = readToken(next, logits, tokenizer, topCount);
      onEvent?.({ type: "token", token, text: complete });
    }
    const seconds = (performance.now() - begun) / 1000;
    const tokensPerSecond = drawn > 1 ? (drawn - 1) / seconds : null;
    return { text: text + stream.end(), tokens: drawn, tokensPerSecond, end };
  });
}

/** Tokens of a prompt: at least one. */
async function encodePrompt(
  prompt: Prompt,
  { template }: LanguageText,
  tokenizer: TextTokenizer,
  model: string,
): Promise<readonly number[]> {
  const ids = await encodeGiven();
  if (ids.length > 0) return ids;
  const start = tokenizer.bosId ?? tokenizer.eosId;
  if (start !== null) return [start];
  throw new EngineError("usage", `${model} has no token that begins a text: write a prompt.`);

  async function encodeGiven(): Promise<readonly number[]> {
    if (prompt.kind === "text") {
      checkText(prompt.text);
      return [...tokenizer.encode(prompt.text, { specialTokens: true }).ids];
    }
    if (!template) throw missingTemplate(model);
    for (const { content } of prompt.turns) checkText(content);
    const text = await template.renderChat(prompt.turns, { addGenerationPrompt: true });
    checkText(text);
    // Chat templates write special tokens themselves.
    return [...tokenizer.encode(text, { specialTokens: false }).ids];
  }
}

/** Reports the loading of a model as events. */
export function tellLoading(onEvent: CallOptions<GenerateEvent>["onEvent"]) {
  return (doneBytes: number, totalBytes: number, label: string) =>
    onEvent?.({ type: "loading", doneBytes, totalBytes, label });
}
