import type { Finding } from "../contract/index.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { compareSamples, findStrangers } from "./guessBase.ts";
import { compareVocabularies } from "./vocabularies.ts";

/**
 * What tokenizers and a sample of the weights say about merging these models, the donor first: the
 * `findings` of a plan that headers cannot give. Reads at most 8 MiB of weights a model.
 */
export async function examineModels(
  checkpoints: readonly Checkpoint[],
): Promise<readonly Finding[]> {
  const strangers = findStrangers(checkpoints, await compareSamples(checkpoints));
  return [...strangers, ...(await compareVocabularies(checkpoints))];
}
