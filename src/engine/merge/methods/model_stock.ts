import { norm } from "./span/gram.ts";
import { defineSpanMethod } from "./span/span.ts";

/** Lower bound of the product of two norms that a cosine divides by, as in mergekit. */
const SHORTEST = 1e-6;

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
  },
  override: null,
  mergekit: true,
  symmetric: true,
  tokenRows: "common",
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
