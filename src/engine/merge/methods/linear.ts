import { defineMethod, type Resolved } from "../method.ts";
import { normalizeParam, weightParam, weightSum, weightsOf } from "../weighting.ts";

const divisorOf = (resolved: Resolved) => (resolved.global.normalize ? weightSum(resolved) : 1);

/** Linear: the weighted mean of the models. */
export default defineMethod({
  id: "linear",
  title: "Linear",
  summary: "Averages the models, with one weight each.",
  paper: { label: "Model soups", url: "https://arxiv.org/abs/2203.05482" },
  base: "none",
  models: { min: 1, max: 64 },
  params: {
    normalize: normalizeParam(true),
    weight: weightParam({ min: 0, help: "How much this model counts." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  apply: () => "weighted_sum",
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const shares = weightsOf(resolved).map((weight) => weight / divisorOf(resolved));
      return { constants: shares, shares };
    }),
  reference: (unit) =>
    unit.map(({ resolved, models }) => {
      const weights = weightsOf(resolved);
      const divisor = divisorOf(resolved);
      return models[0]!.map(
        (_, i) => models.reduce((sum, x, m) => sum + weights[m]! * x[i]!, 0) / divisor,
      );
    }),
});
