import type { TrainingSettings } from "../contract/index.ts";

/**
 * Learning rate of update `step` (from 0) of `steps`, as transformers' schedulers define it: linear
 * warm-up from 0, then cosine, linear or no decay.
 */
export function learningRateAt(
  {
    learningRate,
    schedule,
    warmup,
  }: Pick<TrainingSettings, "learningRate" | "schedule" | "warmup">,
  step: number,
  steps: number,
): number {
  const warmupSteps = Math.ceil(warmup * steps);
  if (step < warmupSteps) return (learningRate * step) / Math.max(1, warmupSteps);
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  switch (schedule) {
    case "constant":
      return learningRate;
    case "linear":
      return learningRate * Math.max(0, 1 - progress);
    case "cosine":
      return (learningRate * Math.max(0, 1 + Math.cos(Math.PI * progress))) / 2;
    default:
      return schedule satisfies never;
  }
}
