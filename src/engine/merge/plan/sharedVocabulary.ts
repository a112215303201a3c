import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Finding, Recipe } from "../../contract/index.ts";
import { compareVocabularies } from "./vocabularies.ts";

/**
 * A recipe that asks for a vocabulary (`tokenizer`, `tokenizer_source`) gets the one that all models
 * share, whichever it names; where they share none that is an error.
 */
export async function checkVocabulary(
  { tokenizer, base, models }: Recipe,
  checkpoints: readonly Checkpoint[],
): Promise<readonly Finding[]> {
  if (tokenizer === undefined) return [];
  const error = (message: string): Finding => ({ severity: "error", code: "mismatch", message });
  const names = [...(base === undefined ? [] : [base]), ...models.map(({ model }) => model)];
  if (!["union", "base", ...names].includes(tokenizer)) {
    const sentence = `The tokenizer's source "${tokenizer}" is neither "union" nor "base" nor a model of the recipe.`;
    return [error(sentence)];
  }
  const untold = checkpoints.find(({ files }) => !files.has("tokenizer.json"));
  if (untold) {
    return [
      error(
        `"${untold.name}" has no tokenizer.json: whether it shares the vocabulary of the others, which the recipe's tokenizer asks for, cannot be told.`,
      ),
    ];
  }
  return (await compareVocabularies(checkpoints)).map(({ message }) =>
    error(`Vocabularies are not merged yet, so that "${tokenizer}" cannot be made. ${message}`),
  );
}
