import { generate as generateTokens } from "../engine/runtime/generate/generate.ts";
import type { Sampling } from "../engine/runtime/generate/sample.ts";
import { readStopIds } from "../engine/text/tokenizers/tokenizerFiles.ts";
import type { Call, Command } from "./command.ts";
import { openRunnable, RUN_OPTIONS, readIds, readNumber } from "./languageModel.ts";

const MAX_TOKENS = 2 ** 20;
const SAMPLING_OPTIONS = ["seed", "top-k", "top-p", "min-p"] as const;

function readSampling(options: Call["options"]): Sampling {
  const asksForChance = SAMPLING_OPTIONS.some((name) => options[name] !== undefined);
  const part = { min: 0, max: 1 };
  return {
    temperature: readNumber(options, "temperature", asksForChance ? 1 : 0, { min: 0, max: 100 }),
    topK: readNumber(options, "top-k", 0, { min: 0, max: 2 ** 24, whole: true }),
    topP: readNumber(options, "top-p", 1, part),
    minP: readNumber(options, "min-p", 0, part),
    repetitionPenalty: readNumber(options, "repetition-penalty", 1, { min: 1e-3, max: 1e3 }),
    seed: readNumber(options, "seed", 0, { min: 0, max: 2 ** 32 - 1, whole: true }),
  };
}

/** `studio generate`: draws tokens after a prompt. */
export const generate: Command = {
  positionals: ["MODEL"],
  summary: "Continues a prompt; without a sampling option always with the likeliest token.",
  options: {
    prompt: { value: "TEXT", help: "What to continue." },
    ids: { value: "1,2,3", help: "Token ids instead of a text." },
    tokens: { value: "N", help: "Tokens to draw at most (64)." },
    seed: { value: "S", help: "The same seed draws the same tokens (0)." },
    temperature: { value: "X", help: "0 takes the likeliest; 1 where another option draws." },
    "top-k": { value: "K", help: "Only the K likeliest (0: all)." },
    "top-p": { value: "P", help: "Only the likeliest that together reach P (1: all)." },
    "min-p": { value: "P", help: "Only those at least P times as likely as the likeliest." },
    "repetition-penalty": { value: "X", help: "Above 1 disfavours tokens already there (1)." },
    "ignore-stop": { value: null, help: "Goes on after a token that ends a text." },
    ...RUN_OPTIONS,
  },
  async run(call) {
    const { positionals, options, signal } = call;
    const sampling = readSampling(options);
    const tokens = readNumber(options, "tokens", 64, { min: 1, max: MAX_TOKENS, whole: true });
    const runnable = await openRunnable(positionals[0] ?? "", call);
    try {
      const given = { ids: options.ids, text: options.prompt };
      const prompt = await readIds(runnable, given, "prompt");
      const tokenizer = await runnable.tokenizer().catch((error: unknown) => {
        if (options.prompt === undefined) return null;
        throw error;
      });
      const ends = tokenizer?.stopIds ?? (await readStopIds(runnable.files));
      const stopIds = options["ignore-stop"] === undefined ? ends : [];
      const { gpu, model } = await runnable.load();
      const ids: number[] = [];
      let begun = performance.now();
      const drawn = generateTokens(gpu, model, prompt, { tokens, sampling, stopIds, signal });
      for await (const { id } of drawn) {
        // The first token is not timed: it includes the prompt and the compilation of kernels.
        if (ids.length === 0) begun = performance.now();
        ids.push(id);
      }
      const seconds = (performance.now() - begun) / 1000;
      const tokensPerSecond = ids.length > 1 ? (ids.length - 1) / seconds : null;
      const text = tokenizer?.decode(ids, { skipSpecial: true, continues: true }) ?? null;
      const speed = tokensPerSecond === null ? "" : ` at ${tokensPerSecond.toFixed(1)} a second`;
      return {
        json: { text, ids, tokensPerSecond },
        text: `${text ?? ids.join(",")}\n(${ids.length} tokens${speed})`,
      };
    } finally {
      await runnable.close();
    }
  },
};
