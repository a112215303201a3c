import type { Resolved } from "../method.ts";
import { weightParam, weightSum, weightsOf } from "../weighting.ts";
import { norm } from "./span/gram.ts";
import { defineSpanMethod, type SpanSteps } from "./span/span.ts";
import { roundingProfile, stepped } from "./taskVectors/params.ts";

/** Lower bound of a norm that a direction is divided by. */
const SHORTEST = 1e-7;
/**
 * Cosine above which two directions are equal, or opposite, as far as float32 products tell: mergekit
 * then interpolates linearly. Rounding would scale an arc between opposites by up to 10³.
 */
const PARALLEL = 1 - 2 ** -21;

/** Place between the two models, 1 being the second. */
function placeOf(resolved: Resolved): number {
  const sum = weightSum(resolved);
  return Math.abs(sum) < 1e-6 ? 0.5 : weightsOf(resolved)[1]! / sum;
}

/** Steps of mergekit's NuSLERP: (sin((1 - t) θ) v₀ + sin(t θ) v₁) / sin θ. */
const steps: SpanSteps = {
  rule: "nuslerp_in_steps",
  roundsProducts: false,
  constants({ gram, resolved }) {
    const step = (value: number) => stepped(resolved, value);
    const t = placeOf(resolved);
    const [one, other] = [0, 1].map((i) => Math.max(step(norm(gram, i)), step(SHORTEST)));
    const cosine = Math.min(1, Math.max(-1, step(gram[0]![1]! / (one! * other!))));
    if (step(1 - step(cosine * cosine)) <= 0) return [1 - t, t, 1];
    const angle = step(Math.acos(cosine));
    const sines = [1 - t, t].map((part) => step(Math.sin(step(part * angle))));
    return [...sines, step(Math.sin(angle))];
  },
  merge([one, other, divisor], base, [x, y], step) {
    const [a, b] = [x!, y!].map((value) => (base === null ? value : step(value - base)));
    const change = step(step(step(one! * a!) + step(other! * b!)) / divisor!);
    return base === null ? change : step(base + change);
  },
};

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
    profile: roundingProfile,
    weight: weightParam({ min: 0, help: "How near the result is to this model." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  tokenRows: "common",
  roundsSteps: true,
  steps,
  part({ global }) {
    if (global.nuslerp_flatten) return "tensor";
    return global.nuslerp_row_wise ? "column" : "row";
  },
  coefficients({ gram, resolved }) {
    const t = placeOf(resolved);
    const [one, other] = [0, 1].map((i) => Math.max(norm(gram, i), SHORTEST));
    const cosine = gram[0]![1]! / (one! * other!);
    if (Math.abs(cosine) > PARALLEL) return [1 - t, t];
    const angle = Math.acos(cosine);
    return [(1 - t) * angle, t * angle].map((part) => Math.sin(part) / Math.sin(angle));
  },
});
