import { type TrainingRequest, toFailure } from "../../engine/contract/index.ts";
import { fusionParts } from "./fusionActions.ts";
import { trainingSettings } from "./pipelineActions.ts";
import type { Studio } from "./studio.ts";

/**
 * Training that a pipeline would start with. A plan needs the documents of a fused dataset, so
 * there is none before the pivot's first fusion.
 */
export function trainingToPlan(studio: Studio): TrainingRequest | null {
  const settings = trainingSettings(studio);
  const { pivot } = fusionParts(studio);
  const fusion = (studio.library.getState().fusions ?? [])
    .filter((card) => card.state === "complete" && card.pivot === pivot?.id)
    .toSorted((a, b) => b.createdAt - a.createdAt)[0];
  return pivot && fusion ? { pivot: pivot.id, fusion: fusion.id, settings } : null;
}

/** Plans a training; an answer that is out of date is dropped. */
export async function planTraining(
  studio: Studio,
  request: TrainingRequest,
  signal: AbortSignal,
): Promise<void> {
  try {
    const plan = await studio.engine.planTraining(request);
    if (!signal.aborted) studio.pipeline.setState({ plan, planFailure: null });
  } catch (error) {
    if (!signal.aborted) studio.pipeline.setState({ plan: null, planFailure: toFailure(error) });
  }
}
