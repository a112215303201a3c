import { resolve } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { readCrossEntropy } from "../engine/nn/score.ts";
import { planWindows } from "../engine/nn/windows.ts";
import type { Command } from "./command.ts";
import { openRunnable, RUN_OPTIONS, readNumber } from "./languageModel.ts";
import { readScoredTexts } from "./scoredTexts.ts";

/** Longer windows cost more than they tell. */
const LONGEST_WINDOW = 4096;
const PROBLEMS_TOLD = 5;

/** `studio perplexity`: how well a model predicts a text. */
export const perplexity: Command = {
  positionals: ["MODEL", "FILE"],
  summary:
    "Teacher-forced loss over a text file or a dataset of texts or chats (what the assistant says).",
  options: {
    window: { value: "N", help: "Tokens read at once (the model's context, at most 4096)." },
    stride: { value: "N", help: "Tokens from one window to the next (half a window)." },
    ...RUN_OPTIONS,
  },
  async run(call) {
    const { positionals, options, signal, say, progress } = call;
    const [path = "", file = ""] = positionals;
    const runnable = await openRunnable(path, call);
    try {
      const longest = Math.max(2, Math.min(runnable.contextLength, LONGEST_WINDOW));
      const window = readNumber(options, "window", longest, {
        ...{ min: 2, max: 2 ** 20, whole: true },
      });
      const stride = readNumber(options, "stride", window >> 1, {
        ...{ min: 1, max: window - 1, whole: true },
      });
      const { rows, problems } = await readScoredTexts(resolve(file), runnable);
      for (const problem of problems.slice(0, PROBLEMS_TOLD)) say(`left out: ${problem}`);
      if (problems.length > PROBLEMS_TOLD) say(`… and ${problems.length - PROBLEMS_TOLD} more.`);
      const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
      const total = rows.reduce((sum, row) => sum + row.ids.length, 0);
      if (!rows.some(({ counted }) => counted.includes(1))) {
        throw new EngineError("usage", `${file} has no token to predict.`, { file });
      }
      const { gpu, model } = await runnable.load();
      let [tokens, nats, read] = [0, 0, 0];
      for (const { ids, counted } of rows) {
        for (const { start, scoredFrom, end } of planWindows(ids.length, window, stride)) {
          signal.throwIfAborted();
          progress(read, total, "tokens");
          read += end - scoredFrom;
          if (!counted.subarray(scoredFrom, end).includes(1)) continue;
          const each = await readCrossEntropy(gpu, model, ids.slice(start, end), { signal });
          for (let i = scoredFrom; i < end; i++) {
            if (counted[i] !== 1) continue;
            // The first of `each` is the window's second token.
            nats += each[i - start - 1]!;
            tokens += 1;
          }
        }
      }
      const bitsPerByte = bytes > 0 ? nats / Math.LN2 / bytes : null;
      const natsPerToken = nats / tokens;
      return {
        json: {
          ...{ tokens, bytes, nats, natsPerToken, bitsPerByte, window, stride },
          ...{ rows: rows.length, unreadable: problems.length },
        },
        text: `${tokens} tokens, ${bytes} bytes: ${natsPerToken.toFixed(4)} nats per token (perplexity ${Math.exp(natsPerToken).toFixed(3)}), ${bitsPerByte?.toFixed(4) ?? "–"} bits per byte`,
      };
    } finally {
      await runnable.close();
    }
  },
};
