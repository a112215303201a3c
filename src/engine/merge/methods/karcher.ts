import { lengthOf, norm, product } from "./span/gram.ts";
import { defineSpanMethod } from "./span/span.ts";

/**
 * Karcher mean of the models on the sphere: the direction with the least sum of squared arc lengths
 * to all models, at their mean norm.
 */
export default defineSpanMethod({
  id: "karcher",
  title: "Karcher mean",
  summary: "Finds the centre of the models on the sphere, the base counting as one of them.",
  paper: { label: "Karcher mean of models", url: "https://arxiv.org/abs/2603.04972" },
  base: "optional",
  models: { min: 1, max: 64 },
  params: {
    max_iter: {
      kind: "number",
      scope: "global",
      label: "Iterations",
      help: "Steps towards the centre at most.",
      min: 1,
      max: 100,
      step: 1,
      default: 10,
    },
    tol: {
      kind: "number",
      scope: "global",
      label: "Tolerance",
      help: "Steps, angles and lengths below it count as nothing.",
      min: 0,
      max: 0.001,
      step: 1e-6,
      default: 1e-5,
    },
  },
  override: null,
  mergekit: true,
  symmetric: true,
  blendsBase: true,
  tokenRows: "equal",
  coefficients({ gram, resolved }) {
    const [steps, tol] = [Number(resolved.global.max_iter), Number(resolved.global.tol)];
    if (gram.length === 1) return [1];
    const lengths = gram.map((_, i) => norm(gram, i));
    // Unit vectors of the models, each as coefficients over all models; models of norm 0 have no
    // direction.
    const units = gram.flatMap((_, i) =>
      lengths[i]! > tol ? [gram.map((_, j) => (i === j ? 1 / lengths[i]! : 0))] : [],
    );
    if (units.length === 0) return gram.map(() => 0);
    const scale = (vector: readonly number[], by: number) => vector.map((value) => value * by);
    const start = gram.map((_, j) => units.reduce((sum, unit) => sum + unit[j]!, 0) / units.length);
    let mean = scale(start, 1 / lengthOf(gram, start));
    if (lengthOf(gram, start) < tol) mean = units[0]!;
    for (let step = 0; step < steps; step++) {
      const tangent = gram.map(() => 0);
      for (const unit of units) {
        const cosine = Math.min(1, Math.max(-1, product(gram, mean, unit)));
        const angle = Math.acos(cosine);
        // The logarithm is 0 at the mean itself and undefined at its antipode.
        if (angle < tol || Math.sin(angle) < 1e-7) continue;
        const weight = angle / Math.sin(angle) / units.length;
        for (const j of tangent.keys()) tangent[j]! += weight * (unit[j]! - cosine * mean[j]!);
      }
      const length = lengthOf(gram, tangent);
      if (length < tol || length === 0) break;
      const moved = mean.map(
        (value, j) => value * Math.cos(length) + (tangent[j]! * Math.sin(length)) / length,
      );
      mean = scale(moved, 1 / lengthOf(gram, moved));
    }
    return scale(mean, lengths.reduce((sum, length) => sum + length, 0) / gram.length);
  },
});
