import { defineMethod, type Resolved } from "../method.ts";
import { lambdaParam, normalizeParam, weightParam, weightSum, weightsOf } from "../weighting.ts";
import { roundingProfile, stepped, steppedWeights } from "./taskVectors/params.ts";

/** Divisor: Σw with `normalize`, else 1; a sum below 1e-8 counts as 1, as in mergekit. */
function divisorOf(resolved: Resolved): number {
  const sum = weightSum(resolved);
  return resolved.global.normalize && Math.abs(sum) >= 1e-8 ? sum : 1;
}

const inSteps = ({ arithmetic = "F32" }: Resolved) => arithmetic !== "F32";

/** Constants of the step-by-step rule: λ, the divisor and the weights, rounded as its steps are. */
function steppedConstants(resolved: Resolved): number[] {
  const weights = steppedWeights(resolved);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const divides = Boolean(resolved.global.normalize) && Math.abs(sum) >= 1e-8;
  return [Number(resolved.global.lambda), divides ? stepped(resolved, sum) : 1, ...weights];
}

/** Task arithmetic: adds the weighted changes of the models to the base. */
export default defineMethod({
  id: "task_arithmetic",
  title: "Task arithmetic",
  summary: "Adds each model's change to the base, with one weight each.",
  paper: { label: "Editing models with task arithmetic", url: "https://arxiv.org/abs/2212.04089" },
  base: "required",
  models: { min: 1, max: 64 },
  params: {
    normalize: normalizeParam(false),
    lambda: lambdaParam,
    profile: roundingProfile,
    weight: weightParam({ min: -1, help: "How much of this model's change is added." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  roundsSteps: true,
  apply: (resolved) => (inSteps(resolved) ? "delta_sum_in_steps" : "delta_sum"),
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const lambda = Number(resolved.global.lambda);
      const shares = weightsOf(resolved).map((weight) => (lambda * weight) / divisorOf(resolved));
      if (!inSteps(resolved)) return { shares, constants: shares };
      return { shares, constants: steppedConstants(resolved) };
    }),
  reference: (unit) =>
    unit.map(({ resolved, base, models }) => {
      const step = (value: number) => stepped(resolved, value);
      const [lambda, divisor, ...weights] = steppedConstants(resolved) as [number, number];
      return base!.map((own, i) => {
        const changes = models.map((x, m) => step(weights[m]! * step(step(x[i]!) - step(own))));
        const sum = step(changes.reduce((total, change) => total + change, 0));
        return step(step(own) + step(lambda * step(sum / divisor)));
      });
    }),
});
