import { norm } from "./span/gram.ts";
import { defineSpanMethod, type SpanSteps } from "./span/span.ts";
import { roundingProfile, stepped } from "./taskVectors/params.ts";

/** Lower bound of the product of two norms that a cosine divides by, as in mergekit. */
const SHORTEST = 1e-6;

/** Steps of mergekit's Model Stock: t · mean + (1 - t) · base, where t follows from the mean cosine. */
const steps: SpanSteps = {
  rule: "model_stock_in_steps",
  roundsProducts: true,
  constants({ gram, resolved }) {
    const step = (value: number) => stepped(resolved, value);
    const count = gram.length;
    const lengths = gram.map((_, i) => step(norm(gram, i)));
    let cosines = 0;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const product = Math.max(step(lengths[i]! * lengths[j]!), step(SHORTEST));
        cosines += Math.min(1, Math.max(-1, step(step(gram[i]![j]!) / product)));
      }
    }
    const cosine = step(cosines / ((count * (count - 1)) / 2));
    const divisor = step(1 + step((count - 1) * cosine));
    return [Math.abs(divisor) < 1e-6 ? 0 : step(step(count * cosine) / divisor)];
  },
  merge([t], base, models, step) {
    const mean = step(models.reduce((sum, x) => step(sum + x), 0) / models.length);
    return step(step(t! * mean) + step(step(1 - t!) * base!));
  },
};

/** Model Stock: moves from the base towards the models' mean, as far as their changes agree. */
export default defineSpanMethod({
  id: "model_stock",
  title: "Model Stock",
  summary: "Moves from the base to the models' mean as far as their changes point the same way.",
  paper: { label: "Model Stock, Eq. 7", url: "https://arxiv.org/abs/2403.19522" },
  base: "required",
  models: { min: 2, max: 64 },
  params: {
    filter_wise: {
      kind: "boolean",
      scope: "global",
      label: "Filter-wise",
      help: "Finds the angle for each row of a matrix, not for the whole.",
      default: false,
    },
    profile: roundingProfile,
  },
  override: null,
  mergekit: true,
  symmetric: true,
  tokenRows: "common",
  roundsSteps: true,
  steps,
  part: ({ global }) => (global.filter_wise ? "row" : "tensor"),
  coefficients({ gram }) {
    const count = gram.length;
    let cosines = 0;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const lengths = Math.max(norm(gram, i) * norm(gram, j), SHORTEST);
        cosines += Math.min(1, Math.max(-1, gram[i]![j]! / lengths));
      }
    }
    const cosine = cosines / ((count * (count - 1)) / 2);
    const divisor = 1 + (count - 1) * cosine;
    // A divisor near 0 means that the changes cancel: mergekit 0.1.5 then keeps the base.
    const ratio = Math.abs(divisor) < 1e-6 ? 0 : (count * cosine) / divisor;
    return gram.map(() => ratio / count);
  },
});
