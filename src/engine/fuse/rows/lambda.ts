import type { TrainingSettings } from "../../contract/index.ts";

/** λ of loss = λ · clm + (1 − λ) · fusion at a step, from 0 to `steps`; not for `soft`. */
export function scheduledLambda(
  schedule: Exclude<TrainingSettings["lambdaSchedule"], "soft">,
  lambda: number,
  { step, steps }: { readonly step: number; readonly steps: number },
): number {
  if (schedule === "hard") return lambda;
  return lambda + (1 - lambda) * (steps > 0 ? Math.min(1, step / steps) : 1);
}

/**
 * λ of one document from its models' rewards e^-CE: 1 minus the best reward (MinCE), or minus their
 * mean (AvgCE). Models without a reward are left out; without any, λ is 1.
 */
export function softLambda(rewards: readonly number[], fusion: "mince" | "avgce"): number {
  const known = rewards.filter(Number.isFinite);
  if (known.length === 0) return 1;
  if (fusion === "mince") return 1 - Math.max(...known);
  return 1 - known.reduce((sum, reward) => sum + reward, 0) / known.length;
}
