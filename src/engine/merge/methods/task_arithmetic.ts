import { defineMethod, type Resolved } from "../method.ts";
import { lambdaParam, normalizeParam, weightParam, weightSum, weightsOf } from "../weighting.ts";
import { type Consensus, type Term, taskVectorConstants } from "./taskVectors/constants.ts";
import { profileParam, steppedWeights } from "./taskVectors/params.ts";
import { combineTerms } from "./taskVectors/reference.ts";

/** Divisor: Σw with `normalize`, else 1; a sum below 1e-8 counts as 1, as in mergekit. */
function divisorOf(resolved: Resolved): number {
  const sum = weightSum(resolved);
  return resolved.global.normalize && Math.abs(sum) >= 1e-8 ? sum : 1;
}

const inSteps = ({ arithmetic = "F32" }: Resolved) => arithmetic !== "F32";

/** Terms of an unsparsified sum, as the step-by-step rule of the family takes them. */
function plainSum(resolved: Resolved): { readonly terms: Term[]; readonly consensus: Consensus } {
  const weights = steppedWeights(resolved);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const normalize = Boolean(resolved.global.normalize) && Math.abs(sum) >= 1e-8;
  const lambda = Number(resolved.global.lambda);
  return {
    terms: weights.map((weight) => ({ weight, vote: 0, rescale: 1, thinning: { kind: "none" } })),
    consensus: { elect: false, normalize, floor: null, lambda, slack: 0 },
  };
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
    profile: profileParam(
      "mergekit computes in the recipe's dtype, every step rounded; paper in float32, rounded once.",
    ),
    weight: weightParam({ min: -1, help: "How much of this model's change is added." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  roundsSteps: true,
  apply: (resolved) => (inSteps(resolved) ? "task_vectors" : "delta_sum"),
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const lambda = Number(resolved.global.lambda);
      const shares = weightsOf(resolved).map((weight) => (lambda * weight) / divisorOf(resolved));
      if (!inSteps(resolved)) return { shares, constants: shares };
      const { terms, consensus } = plainSum(resolved);
      return { shares, constants: taskVectorConstants(terms, consensus) };
    }),
  reference: (unit) =>
    unit.map((tensor) => {
      const { terms, consensus } = plainSum(tensor.resolved);
      const all = Array.from(tensor.base!, () => true);
      return combineTerms(
        tensor,
        terms.map(() => all),
        terms,
        consensus,
      );
    }),
});
