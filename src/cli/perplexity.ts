import { resolve } from "node:path";
import {
  type DomainFigures,
  EngineError,
  type EvaluationFigures,
  nameDomain,
} from "../engine/contract/index.ts";
import { groupDomains } from "../engine/evaluate/domains.ts";
import { makeDomainFigures, makeFigures } from "../engine/evaluate/figures.ts";
import { scoreRow, windowOf } from "../engine/evaluate/scoreRow.ts";
import { aggregateScores, type Score } from "../engine/evaluate/statistics.ts";
import type { Command } from "./command.ts";
import { openRunnable, RUN_OPTIONS, readNumber } from "./languageModel.ts";
import { readScoredTexts } from "./scoredTexts.ts";

const PROBLEMS_TOLD = 5;

/** `studio perplexity`: how well a model predicts a text. */
export const perplexity: Command = {
  positionals: ["MODEL", "FILE"],
  summary:
    "Teacher-forced loss over a text file or a dataset of texts or chats (what the assistant says).",
  options: {
    window: { value: "N", help: "Tokens read at once (the model's context, at most 4096)." },
    stride: { value: "N", help: "Tokens from one window to the next (half a window)." },
    "system-into-user": {
      value: null,
      help: "Put system texts before the first user turn, for templates without a system role.",
    },
    ...RUN_OPTIONS,
  },
  async run(call) {
    const { positionals, options, signal, say, progress } = call;
    const [path = "", file = ""] = positionals;
    const runnable = await openRunnable(path, call);
    try {
      const window = readNumber(options, "window", windowOf(runnable.contextLength), {
        min: 2,
        max: 2 ** 20,
        whole: true,
      });
      const stride = readNumber(options, "stride", window >> 1, {
        min: 1,
        max: window - 1,
        whole: true,
      });
      const { rows, domains, problems } = await readScoredTexts(resolve(file), runnable, {
        intoUser: options["system-into-user"] !== undefined,
      });
      for (const problem of problems.slice(0, PROBLEMS_TOLD)) say(`left out: ${problem}`);
      if (problems.length > PROBLEMS_TOLD) say(`… and ${problems.length - PROBLEMS_TOLD} more.`);
      if (!rows.some(({ counted }) => counted.includes(1))) {
        const why = problems[0] === undefined ? "" : ` The first that was left out: ${problems[0]}`;
        throw new EngineError("usage", `${file} has no token to predict.${why}`, { file });
      }
      const { gpu, model } = await runnable.load();
      const total = rows.reduce((sum, row) => sum + row.ids.length, 0);
      let before = 0;
      const onRead = (done: number) => progress(before + done, total, "tokens", "parts");
      const scores: Score[] = [];
      for (const row of rows) {
        scores.push(await scoreRow(gpu, model, row, { signal, window, stride, onRead }));
        before += row.ids.length;
      }
      const { tokens, bytes, nats, natsPerToken, bitsPerByte, perplexity } =
        aggregateScores(scores);
      const figures = makeFigures(scores, null);
      const byDomain = makeDomainFigures(groupDomains(domains), scores, null);
      return {
        json: {
          tokens,
          bytes,
          nats,
          natsPerToken,
          bitsPerByte,
          interval: figures.interval,
          window,
          stride,
          rows: rows.length,
          unreadable: problems.length,
          ...(byDomain.length > 0 && { domains: byDomain.map(({ difference: _, ...one }) => one) }),
        },
        text: [
          `${tokens} tokens, ${bytes} bytes: ${show(natsPerToken)} nats per token (perplexity ${show(perplexity, 3)}), ${show(bitsPerByte)} bits per byte${describeInterval(figures)}`,
          ...byDomain.map(describeDomain),
        ].join("\n"),
      };
    } finally {
      await runnable.close();
    }
  },
};

const show = (value: number | null, digits = 4) => value?.toFixed(digits) ?? "–";

/** An interval, with the number of rows behind it. */
function describeInterval({ interval, rows }: EvaluationFigures): string {
  return interval ? ` (95 %: ${show(interval[0])} to ${show(interval[1])}, n = ${rows})` : "";
}

function describeDomain({ domain, ...figures }: DomainFigures): string {
  const { rows, bitsPerByte } = figures;
  const count = rows === 1 ? "1 row" : `${rows} rows`;
  return `  ${nameDomain(domain)}: ${count}, ${show(bitsPerByte)} bits per byte${describeInterval(figures)}`;
}
