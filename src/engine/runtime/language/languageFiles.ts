import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { LibraryReader } from "../../checkpoint/library/library.ts";
import { isOnnxExport } from "../../checkpoint/onnxExport.ts";
import { EngineError, type LanguageCard, type ModelId, toFailure } from "../../contract/index.ts";
import type { GpuSpace } from "../../gpu/space.ts";
import type { TemplateWatchdog } from "../../text/templates/task.ts";
import { type ChatTemplate, openChatTemplate } from "../../text/templates/template.ts";
import { openTokenizer, type TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import { findRunnable } from "./findRunnable.ts";
import { USUAL_TOKENS } from "./runnable.ts";

/**
 * Number of tokenizers kept: a vocabulary of 150,000 tokens takes some 60 MB, and as many as this
 * are compared side by side.
 */
const KEPT = 4;

/** Tokenizer and chat template of a checkpoint, or the reasons why they cannot be used. */
export interface LanguageText {
  /** Tokenizer; `missing-file` without a tokenizer.json, `bad-config` for an unsupported one. */
  tokenizer(): TextTokenizer;
  readonly reads: boolean;
  /** Chat template; null where there is none that can be used. */
  readonly template: ChatTemplate | null;
}

export type OpenLanguageText = (checkpoint: Checkpoint) => Promise<LanguageText>;

/** Opens tokenizers and templates, and caches those used last. */
export function keepLanguageTexts(watchdog: TemplateWatchdog): OpenLanguageText {
  const kept = new Map<Checkpoint, Promise<LanguageText>>();
  return (checkpoint) => {
    const opening = kept.get(checkpoint) ?? openLanguageText(checkpoint, watchdog);
    kept.delete(checkpoint);
    kept.set(checkpoint, opening);
    opening.catch(() => kept.delete(checkpoint));
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return opening;
  };
}

async function openLanguageText(
  { name, files }: Checkpoint,
  watchdog: TemplateWatchdog,
): Promise<LanguageText> {
  const missing = new EngineError(
    "missing-file",
    `${name} has neither tokenizer.json nor vocab.json with merges.txt, which turn text into tokens: it can be merged, but not read or write.`,
    { model: name, file: "tokenizer.json" },
  );
  const found = await unlessForeseen(openTokenizer(files));
  const tokenizer = found instanceof EngineError ? null : found;
  const template = await unlessForeseen(openChatTemplate(files, tokenizer, watchdog));
  return {
    tokenizer() {
      if (found instanceof EngineError) throw found;
      if (!found) throw missing;
      return found;
    },
    reads: tokenizer !== null,
    template: template instanceof EngineError ? null : template,
  };
}

/** Result of the work, or its `EngineError` as a value. */
async function unlessForeseen<T>(work: Promise<T>): Promise<T | EngineError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

/** Card that says whether a checkpoint of the library can be run here, and why not. */
export async function describeLanguage(
  model: ModelId,
  parts: {
    readonly library: Pick<LibraryReader, "card" | "open">;
    readonly openText: OpenLanguageText;
    /** GPU memory when nothing else is loaded. */
    readonly space: GpuSpace;
  },
): Promise<LanguageCard> {
  const { library, openText, space } = parts;
  await library.card(model); // `missing-file` where it was deleted
  const unknown = { model, reads: false, chats: false, contextLength: 0, weightBytes: 0 };
  try {
    const checkpoint = await library.open(model);
    const { contextLength, weightBytes, findRoom } = findRunnable(checkpoint);
    const { reads, template } = await openText(checkpoint);
    const room = findRoom(space, USUAL_TOKENS);
    // Whether an ONNX export runs on the GPU is only known after loading it.
    if (room === "none" && !isOnnxExport(checkpoint)) {
      throw new EngineError(
        "gpu-memory",
        `Even layer by layer ${checkpoint.name} does not fit the GPU budget of ${space.freeBytes} bytes. Raise the GPU budget.`,
        { model: checkpoint.name, weightBytes, budgetBytes: space.freeBytes },
      );
    }
    return {
      model,
      failure: null,
      reads,
      chats: reads && template !== null,
      contextLength,
      weightBytes,
      streamed: room === "streamed",
    };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { ...unknown, failure: toFailure(error), streamed: false };
  }
}
