import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { type Finding, namedModels, type Recipe } from "../../contract/index.ts";
import { compareVocabularies } from "./vocabularies.ts";

/**
 * A recipe that asks for a vocabulary (`tokenizer`, `tokenizer_source`) gets the one that all models
 * share, whichever it names; where they share none that is an error.
 */
export async function checkVocabulary(
  recipe: Recipe,
  checkpoints: readonly Checkpoint[],
): Promise<readonly Finding[]> {
  if (!recipe.tokenizer) return [];
  const { source, tokens = [], padToMultipleOf } = recipe.tokenizer;
  const error = (message: string): Finding => ({ severity: "error", code: "mismatch", message });
  if (tokens.length > 0 || padToMultipleOf !== undefined) {
    const key = tokens.length > 0 ? "tokens" : "pad_to_multiple_of";
    return [error(`"${key}" of a tokenizer is not supported yet.`)];
  }
  if (!["union", "base", ...namedModels(recipe)].includes(source)) {
    const sentence = `The tokenizer's source "${source}" is neither "union" nor "base" nor a model of the recipe.`;
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
    error(`Vocabularies are not merged yet, so that "${source}" cannot be made. ${message}`),
  );
}
