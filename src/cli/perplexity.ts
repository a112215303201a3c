import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { readCrossEntropy } from "../engine/nn/score.ts";
import { planWindows } from "../engine/nn/windows.ts";
import type { TextTokenizer } from "../engine/text/tokenizer.ts";
import { fileFailure } from "../node/files.ts";
import type { Command } from "./command.ts";
import { openRunnable, RUN_OPTIONS, readNumber } from "./languageModel.ts";

const MAX_FILE_BYTES = 2 ** 28;
/** Longer windows cost more than they tell. */
const LONGEST_WINDOW = 4096;

async function readTexts(path: string): Promise<readonly string[]> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new EngineError(
        "usage",
        `${path} has ${size} bytes; at most ${MAX_FILE_BYTES} are read.`,
      );
    }
    const text = await readFile(path, "utf8");
    return /\.jsonl$/i.test(path)
      ? text.split("\n").flatMap((line, i) => rowText(line, path, i))
      : [text];
  } catch (error) {
    throw fileFailure(error, path);
  }
}

/** The text of one row of a JSONL file; none for an empty line. */
function rowText(line: string, path: string, index: number): readonly string[] {
  if (line.trim() === "") return [];
  try {
    const row: unknown = JSON.parse(line);
    const text = row && typeof row === "object" && "text" in row ? row.text : undefined;
    if (typeof text === "string") return [text];
  } catch {
    // Told below, with the line.
  }
  throw new EngineError("usage", `${path} has no "text" in line ${index + 1}.`, {
    line: index + 1,
  });
}

/** Ids of a text, and the bytes that are predicted: all but those of the first token. */
function encodeScored(tokenizer: TextTokenizer, text: string) {
  const { ids, spans, byteLength } = tokenizer.encode(text, { specialTokens: true });
  return { ids: [...ids], bytes: byteLength - (spans.bytes[1] ?? 0) };
}

/** `studio perplexity`: how well a model predicts a text. */
export const perplexity: Command = {
  positionals: ["MODEL", "FILE"],
  summary: 'Teacher-forced loss over a text file, or the "text" of every row of a JSONL file.',
  options: {
    window: { value: "N", help: "Tokens read at once (the model's context, at most 4096)." },
    stride: { value: "N", help: "Tokens from one window to the next (half a window)." },
    ...RUN_OPTIONS,
  },
  async run(call) {
    const { positionals, options, signal, progress } = call;
    const [path = "", file = ""] = positionals;
    const runnable = await openRunnable(path, call);
    try {
      const longest = Math.min(runnable.contextLength, LONGEST_WINDOW);
      const window = readNumber(options, "window", longest, {
        ...{ min: 2, max: 2 ** 20, whole: true },
      });
      const half = Math.max(1, Math.floor(window / 2));
      const stride = readNumber(options, "stride", half, { min: 1, max: window - 1, whole: true });
      const texts = await readTexts(resolve(file));
      const tokenizer = await runnable.tokenizer();
      const encoded = texts.map((text) => encodeScored(tokenizer, text));
      const bytes = encoded.reduce((sum, each) => sum + each.bytes, 0);
      const total = encoded.reduce((sum, { ids }) => sum + Math.max(0, ids.length - 1), 0);
      if (total === 0) throw new EngineError("usage", `${file} has no token to predict.`);
      const { gpu, model } = await runnable.load();
      let tokens = 0;
      let nats = 0;
      for (const { ids } of encoded) {
        for (const { start, scoredFrom, end } of planWindows(ids.length, window, stride)) {
          signal.throwIfAborted();
          progress(tokens, total, "tokens");
          const each = await readCrossEntropy(gpu, model, ids.slice(start, end), { signal });
          // The first of `each` is the window's second token.
          for (const value of each.subarray(scoredFrom - start - 1)) nats += value;
          tokens += end - scoredFrom;
        }
      }
      const bitsPerByte = bytes > 0 ? nats / Math.LN2 / bytes : null;
      const natsPerToken = nats / tokens;
      return {
        json: { tokens, bytes, nats, natsPerToken, bitsPerByte, window, stride },
        text: `${tokens} tokens, ${bytes} bytes: ${natsPerToken.toFixed(4)} nats per token (perplexity ${Math.exp(natsPerToken).toFixed(3)}), ${bitsPerByte?.toFixed(4) ?? "–"} bits per byte`,
      };
    } finally {
      await runnable.close();
    }
  },
};
