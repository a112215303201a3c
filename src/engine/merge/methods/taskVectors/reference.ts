import type { ReferenceTensor } from "../../method.ts";
import { type Consensus, drawLimit, type Term } from "./constants.ts";
import { type DrawKey, philox } from "./philox.ts";

/** The `kept` largest of the scores, of equal ones the first: by sorting. */
export function keepLargest(scores: Float64Array, kept: number): readonly boolean[] {
  const order = [...scores.keys()].sort((i, j) => scores[j]! - scores[i]! || i - j);
  const keep = Array.from(scores, () => false);
  for (const i of order.slice(0, kept)) keep[i] = true;
  return keep;
}

/** |δ| as the GPU has it: the difference of two stored values, rounded to float32. */
export function magnitudes(model: Float64Array, base: Float64Array): Float64Array {
  return model.map((x, i) => Math.abs(Math.fround(x - base[i]!)));
}

/** Population variance of δ over the models. */
export function variances({
  base,
  models,
}: Pick<ReferenceTensor, "base" | "models">): Float64Array {
  return base!.map((b, i) => {
    const deltas = models.map((model) => model[i]! - b);
    const mean = deltas.reduce((sum, d) => sum + d, 0) / deltas.length;
    return deltas.reduce((sum, d) => sum + (d - mean) ** 2, 0) / deltas.length;
  });
}

/** Which elements a draw keeps. */
export function keepDrawn(count: number, density: number, key: DrawKey): readonly boolean[] {
  const limit = drawLimit(density);
  return Array.from({ length: count }, (_, i) => philox([i >> 2, 0, 0, 0], key)[i % 4]! < limit);
}

/** base + Σ over the terms, element by element, with the masks of `keep`. */
export function combineTerms(
  { base, models }: ReferenceTensor,
  keep: readonly (readonly boolean[])[],
  terms: readonly Omit<Term, "thinning">[],
  { elect, normalize, floor, lambda, slack }: Consensus,
): Float64Array {
  return base!.map((b, i) => {
    const kept = terms.map(({ rescale }, m) => (keep[m]![i] ? rescale * (models[m]![i]! - b) : 0));
    const votes = terms.reduce((sum, { vote }, m) => sum + vote * kept[m]!, 0);
    const elected = votes >= 0 ? 1 : -1;
    let change = 0;
    let [divisor, sizes] = [0, 0];
    for (const [m, { weight, vote }] of terms.entries()) {
      if (elect && vote * kept[m]! * elected <= 0) continue;
      change += weight * kept[m]!;
      divisor += weight;
      sizes += Math.abs(weight);
    }
    if (Math.abs(divisor) <= slack * sizes) divisor = 1;
    if (floor !== null) divisor = Math.max(divisor, floor);
    return b + (lambda * change) / (normalize ? divisor : 1);
  });
}
