import type { JobCard, PipelineStage } from "../../../../engine/contract/index.ts";

/** State of a stage, in words. */
export type ShownState = "waiting" | "running" | "done" | "made before" | "stopped" | "failed";

/** State of a stage as it is shown: one that was running when its pipeline ended was stopped. */
export function shownState(
  { state }: Pick<PipelineStage, "state">,
  job: Pick<JobCard, "state">,
): ShownState {
  if (state === "reused") return "made before";
  if (state !== "running" || job.state === "running") return state;
  return job.state === "failed" ? "failed" : "stopped";
}

/** State of a step: done when all its stages are, current as soon as one has begun. */
export function stepState(
  stages: readonly Pick<PipelineStage, "state">[],
): "done" | "now" | "todo" {
  const over = stages.filter(({ state }) => state === "done" || state === "reused").length;
  if (stages.length > 0 && over === stages.length) return "done";
  return over > 0 || stages.some(({ state }) => state === "running") ? "now" : "todo";
}
