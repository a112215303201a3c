import { bf16ToF32, f32ToBf16 } from "../../core/tensor/convert.ts";
import { defineMethod, type Resolved } from "../method.ts";
import { lambdaParam, normalizeParam, weightParam, weightSum, weightsOf } from "../weighting.ts";

/** Σw where `normalize` asks for it; a sum below 1e-8 divides by 1, as in mergekit. */
function divisorOf(resolved: Resolved): number {
  const sum = weightSum(resolved);
  return resolved.global.normalize && Math.abs(sum) >= 1e-8 ? sum : 1;
}

const inBf16 = ({ global }: Resolved) => global.arithmetic === "bfloat16";
const round = (value: number) => bf16ToF32(f32ToBf16(value));

/** Task arithmetic: adds the models' changes to the base. */
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
    arithmetic: {
      kind: "choice",
      scope: "global",
      label: "Arithmetic",
      help: "float32 is nearer the truth; bfloat16 rounds every step, as mergekit does with dtype bfloat16.",
      options: ["float32", "bfloat16"],
      default: "float32",
    },
    weight: weightParam({ min: -1, help: "How much of this model's change is added." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  apply: (resolved) => (inBf16(resolved) ? "bf16_delta_sum" : "delta_sum"),
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const weights = weightsOf(resolved);
      const divisor = divisorOf(resolved);
      const lambda = Number(resolved.global.lambda);
      const shares = weights.map((weight) => (lambda * weight) / divisor);
      return { shares, constants: inBf16(resolved) ? [...weights, divisor, lambda] : shares };
    }),
  reference: (unit) =>
    unit.map(({ resolved, base, models }) => {
      const weights = weightsOf(resolved);
      const divisor = divisorOf(resolved);
      const lambda = Number(resolved.global.lambda);
      const step = inBf16(resolved) ? round : (value: number) => value;
      return base!.map((stored, i) => {
        const b = step(stored);
        const terms = models.map((x, m) => step(step(weights[m]!) * step(step(x[i]!) - b)));
        const change = step(terms.reduce((sum, term) => sum + term, 0));
        return step(b + step(step(change / divisor) * lambda));
      });
    }),
});
