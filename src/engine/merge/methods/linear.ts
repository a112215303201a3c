import { defineMethod, type Resolved } from "../method.ts";

/** wₘ, divided by Σw where `normalize` asks for it. */
function coefficients({ global, models }: Resolved): number[] {
  const weights = models.map((values) => Number(values.weight));
  const sum = weights.reduce((a, b) => a + b, 0);
  return global.normalize ? weights.map((weight) => weight / sum) : weights;
}

/** Linear: the weighted mean of the models. */
export default defineMethod({
  id: "linear",
  title: "Linear",
  summary: "Averages the models, with one weight each.",
  paper: { label: "Model soups", url: "https://arxiv.org/abs/2203.05482" },
  base: "none",
  models: { min: 1, max: 64 },
  params: {
    normalize: {
      kind: "boolean",
      scope: "global",
      label: "Normalise",
      help: "Divide by the sum of the weights.",
      default: true,
    },
    weight: {
      kind: "number",
      scope: "model",
      label: "Weight",
      help: "How much this model counts.",
      min: 0,
      max: 1,
      step: 0.01,
      default: null,
      required: true,
    },
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  reduce: () => null,
  apply: () => "weighted_sum",
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const shares = coefficients(resolved);
      return { constants: shares, shares };
    }),
  reference: (unit) =>
    unit.map(({ resolved, models }) => {
      const weights = resolved.models.map((values) => Number(values.weight));
      const divisor = resolved.global.normalize ? weights.reduce((a, b) => a + b, 0) : 1;
      return models[0]!.map(
        (_, i) => models.reduce((sum, x, m) => sum + weights[m]! * x[i]!, 0) / divisor,
      );
    }),
});
