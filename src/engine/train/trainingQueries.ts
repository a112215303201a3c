import type { Engine } from "../contract/index.ts";
import { prepareTraining, type TrainingParts } from "./distillJob.ts";
import { readNotes } from "./recordState.ts";

/** The engine's queries about trainings. */
export function createTrainingQueries(
  parts: Pick<TrainingParts, "library" | "fusions" | "gpuProvider" | "records">,
): Pick<Engine, "planTraining" | "trainingRun"> {
  return {
    planTraining: async (request) => (await prepareTraining(parts, request)).plan,
    async trainingRun(job) {
      const { steps, heldOutBefore, points, tokensPerSecond } = await readNotes(parts.records, job);
      return { steps, heldOutBefore, points, tokensPerSecond };
    },
  };
}
