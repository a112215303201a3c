import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Finding } from "../../contract/index.ts";
import { compareSamples, findStrangers } from "../recipe/guessBase.ts";
import { compareBuffers } from "./buffers.ts";

/**
 * What buffers and a sample of the weights say about merging these models, the template
 * first: the `findings` of a plan that headers cannot give. Reads at most 8 MiB of weights a model,
 * and the start of each buffer; nothing of a merge that is yet to be made.
 */
export async function examineModels(
  checkpoints: readonly Checkpoint[],
): Promise<readonly Finding[]> {
  const made = checkpoints.filter(({ planned }) => !planned);
  const strangers = findStrangers(made, await compareSamples(made));
  return [...strangers, ...(await compareBuffers(made))];
}

/**
 * `examineModels` that remembers its answers for as long as the checkpoints are open, so that every
 * edit of a recipe does not read the weights again. A failure is not remembered.
 */
export function createExaminer(examine = examineModels): typeof examineModels {
  const numbers = new WeakMap<Checkpoint, number>();
  const answers = new WeakMap<Checkpoint, Map<string, ReturnType<typeof examineModels>>>();
  let next = 0;
  const numberOf = (checkpoint: Checkpoint) => {
    const number = numbers.get(checkpoint) ?? next++;
    numbers.set(checkpoint, number);
    return number;
  };
  return (checkpoints) => {
    const [template] = checkpoints;
    if (!template) return Promise.resolve([]);
    const known = answers.get(template) ?? new Map<string, ReturnType<typeof examineModels>>();
    answers.set(template, known);
    const key = checkpoints.map(numberOf).join(" ");
    const answer = known.get(key) ?? examine(checkpoints);
    known.set(key, answer);
    answer.catch(() => known.delete(key));
    return answer;
  };
}
