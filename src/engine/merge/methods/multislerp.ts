import { EngineError } from "../../contract/index.ts";
import { weightParam, weightSum, weightsOf } from "../weighting.ts";
import { lengthOf, norm } from "./span/gram.ts";
import { defineSpanMethod } from "./span/span.ts";

/**
 * Multi-SLERP: the normalised weighted mean of the models' directions, times the weighted mean of
 * their norms.
 */
export default defineSpanMethod({
  id: "multislerp",
  title: "Multi-SLERP",
  summary: "Averages the directions of any number of models on the sphere.",
  paper: {
    label: "Multi-SLERP",
    url: "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea",
  },
  base: "optional",
  models: { min: 1, max: 64 },
  params: {
    normalize_weights: {
      kind: "boolean",
      scope: "global",
      label: "Normalise",
      help: "Divide the weights by their sum.",
      default: true,
    },
    eps: {
      kind: "number",
      scope: "global",
      label: "Epsilon",
      help: "Lengths below it count as nothing.",
      min: 0,
      max: 1e-6,
      step: 1e-9,
      default: 1e-8,
    },
    weight: weightParam({ min: 0, help: "How much this model's direction counts." }),
  },
  override: "weight",
  mergekit: true,
  symmetric: true,
  tokenRows: "equal",
  coefficients({ name, gram, resolved }) {
    const eps = Number(resolved.global.eps);
    const divisor = resolved.global.normalize_weights ? weightSum(resolved) : 1;
    const weights = weightsOf(resolved).map((weight) => weight / divisor);
    if (gram.length === 1) return [1];
    const scales = gram.map((_, i) => 1 / (norm(gram, i) + eps));
    const sum = weights.map((weight, i) => weight * scales[i]!);
    const length = lengthOf(gram, sum);
    if (length < eps) {
      if (gram.length === 2 || gram.every((_, i) => norm(gram, i) === 0)) return weights;
      const message = `"${name}": the models' directions cancel under these weights, so they have no mean. Change a weight.`;
      throw new EngineError("not-mergeable", message, { tensor: name });
    }
    // mergekit goes on in the plane that touches the sphere at the mean, where these steps add up to 0.
    const radius = weights.reduce((total, weight, i) => total + weight * norm(gram, i), 0);
    return sum.map((value) => (value * radius) / length);
  },
});
