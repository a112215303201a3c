import { readLogits } from "../engine/runtime/generate/score.ts";
import type { Command } from "./command.ts";
import { openRunnable, RUN_OPTIONS, readIds } from "./languageModel.ts";

/** Value in nine digits, which distinguish any two float32. */
const asDecimal = (value: number) => Number(value.toPrecision(9));

/** `studio logits`: one forward pass. */
export const logits: Command = {
  positionals: ["MODEL"],
  summary: "Runs a model over a text or token ids and gives the logits of the last position.",
  options: {
    text: { value: "TEXT", help: "Text, with the special tokens its tokenizer puts around it." },
    ids: { value: "1,2,3", help: "Token ids instead of a text." },
    all: { value: null, help: "Logits of every position." },
    ...RUN_OPTIONS,
  },
  async run(call) {
    const { positionals, options, signal } = call;
    const runnable = await openRunnable(positionals[0] ?? "", call);
    try {
      const ids = await readIds(runnable, { ids: options.ids, text: options.text }, "text");
      const { gpu, model } = await runnable.load();
      const which = options.all === undefined ? "last" : "all";
      const values = await readLogits(gpu, model, ids, which, { signal });
      const rows = Array.from({ length: values.length / model.vocabSize }, (_, row) =>
        Array.from(values.subarray(row * model.vocabSize, (row + 1) * model.vocabSize), asDecimal),
      );
      const last = rows.at(-1) ?? [];
      const top = last
        .map((value, id) => ({ id, value }))
        .toSorted((a, b) => b.value - a.value)
        .slice(0, 10)
        .map(({ id, value }) => `${String(id).padStart(8)} ${value.toFixed(4)}`);
      return {
        json: { ids, logits: which === "all" ? rows : last },
        text: `${ids.length} tokens; the likeliest next:\n${top.join("\n")}`,
      };
    } finally {
      await runnable.close();
    }
  },
};
