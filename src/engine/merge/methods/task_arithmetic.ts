import { defineMethod, type Resolved } from "../method.ts";

/** λ wₘ, divided by Σw where `normalize` asks for it; a sum below 1e-8 divides by 1, as in mergekit. */
function coefficients({ global, models }: Resolved): number[] {
  const weights = models.map((values) => Number(values.weight));
  const sum = weights.reduce((a, b) => a + b, 0);
  const divisor = global.normalize && Math.abs(sum) >= 1e-8 ? sum : 1;
  return weights.map((weight) => (Number(global.lambda) * weight) / divisor);
}

/** Task arithmetic: adds the models' changes to the base. */
export default defineMethod({
  id: "task_arithmetic",
  title: "Task arithmetic",
  summary: "Adds each model's change to the base, with one weight each.",
  paper: { label: "Editing models with task arithmetic", url: "https://arxiv.org/abs/2212.04089" },
  base: "required",
  models: { min: 1, max: 64 },
  params: {
    normalize: {
      kind: "boolean",
      scope: "global",
      label: "Normalise",
      help: "Divide by the sum of the weights.",
      default: false,
    },
    lambda: {
      kind: "number",
      scope: "global",
      label: "Lambda",
      help: "Scales the summed change.",
      min: 0,
      max: 2,
      step: 0.05,
      default: 1,
      required: false,
    },
    weight: {
      kind: "number",
      scope: "model",
      label: "Weight",
      help: "How much of this model's change is added.",
      min: -1,
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
  apply: () => "delta_sum",
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const shares = coefficients(resolved);
      return { constants: shares, shares };
    }),
  reference: (unit) =>
    unit.map(({ resolved, base, models }) => {
      const weights = resolved.models.map((values) => Number(values.weight));
      const sum = weights.reduce((a, b) => a + b, 0);
      const divisor = resolved.global.normalize && Math.abs(sum) >= 1e-8 ? sum : 1;
      const lambda = Number(resolved.global.lambda);
      return base!.map((b, i) => {
        const change = models.reduce((total, x, m) => total + weights[m]! * (x[i]! - b), 0);
        return b + (lambda * change) / divisor;
      });
    }),
});
