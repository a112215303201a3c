import { weightParam, weightSum, weightsOf } from "../weighting.ts";
import { norm } from "./span/gram.ts";
import { defineSpanMethod } from "./span/span.ts";

/** Lower bound of a norm that a direction is divided by. */
const SHORTEST = 1e-7;
/**
 * Cosine above which two directions are equal, or opposite, as far as float32 products tell: mergekit
 * then interpolates linearly. Rounding would scale an arc between opposites by up to 10³.
 */
const PARALLEL = 1 - 2 ** -21;

/**
 * NuSLERP: interpolates spherically between two models' weights, or between their changes from a
 * base.
 */
export default defineSpanMethod({
  id: "nuslerp",
  title: "NuSLERP",
  summary: "Walks the arc between two models, or between their changes from a base.",
  paper: { label: "mergekit", url: "https://github.com/arcee-ai/mergekit" },
  base: "optional",
  models: { min: 2, max: 2 },
  params: {
    nuslerp_flatten: {
      kind: "boolean",
      scope: "global",
      label: "Flatten",
      help: "Takes a tensor for one vector, not each of its rows.",
      default: true,
    },
    nuslerp_row_wise: {
      kind: "boolean",
      scope: "global",
      label: "Along the first axis",
      help: "Without flatten: takes columns of a matrix for vectors, whatever the name says.",
      default: false,
    },
    weight: weightParam({ min: 0, help: "How near the result is to this model." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  tokenRows: "common",
  part({ global }) {
    if (global.nuslerp_flatten) return "tensor";
    return global.nuslerp_row_wise ? "column" : "row";
  },
  coefficients({ gram, resolved }) {
    const sum = weightSum(resolved);
    const t = Math.abs(sum) < 1e-6 ? 0.5 : weightsOf(resolved)[1]! / sum;
    const [one, other] = [0, 1].map((i) => Math.max(norm(gram, i), SHORTEST));
    const cosine = gram[0]![1]! / (one! * other!);
    if (Math.abs(cosine) > PARALLEL) return [1 - t, t];
    const angle = Math.acos(cosine);
    return [(1 - t) * angle, t * angle].map((part) => Math.sin(part) / Math.sin(angle));
  },
});
