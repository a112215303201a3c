import type { ReferenceTensor } from "../../method.ts";
import { type Consensus, drawLimit, type Term } from "./constants.ts";
import { stepped } from "./params.ts";
import { type DrawKey, philox } from "./philox.ts";

/** 1 for the `kept` largest scores, the first of equal ones, and 0 for others; by sorting. */
export function keepLargest(scores: Float64Array, kept: number): readonly number[] {
  const order = [...scores.keys()].sort((i, j) => scores[j]! - scores[i]! || i - j);
  const keep = Array.from(scores, () => 0);
  for (const i of order.slice(0, kept)) keep[i] = 1;
  return keep;
}

/** Changes δ of the models; inputs are rounded first where the arithmetic is narrow. */
export function deltasOf(
  { base, resolved }: Pick<ReferenceTensor, "base" | "resolved">,
  model: Float64Array,
): Float64Array {
  const step = (value: number) => stepped(resolved, value);
  return model.map((x, i) => step(step(x) - step(base![i]!)));
}

/** Magnitudes |δ| as the GPU computes them: float32 differences of the stored values. */
export function magnitudes(
  tensor: Pick<ReferenceTensor, "base" | "resolved">,
  model: Float64Array,
): Float64Array {
  return deltasOf(tensor, model).map((d) => Math.abs(Math.fround(d)));
}

/** Population variance of δ over the models, element by element. */
export function variances(
  tensor: Pick<ReferenceTensor, "base" | "models" | "resolved">,
): Float64Array {
  const all = tensor.models.map((model) => deltasOf(tensor, model));
  return tensor.base!.map((_, i) => {
    const deltas = all.map((own) => own[i]!);
    const mean = deltas.reduce((sum, d) => sum + d, 0) / deltas.length;
    const squares = deltas.reduce((sum, d) => sum + (d - mean) ** 2, 0);
    return stepped(tensor.resolved, squares / deltas.length);
  });
}

/** 1 for the elements that the seeded draws keep, 0 for others. */
export function keepDrawn(count: number, density: number, key: DrawKey): readonly number[] {
  const limit = drawLimit(density);
  return Array.from({ length: count }, (_, i) =>
    Number(philox([i >> 2, 0, 0, 0], key)[i % 4]! < limit),
  );
}

/** Sum base + Σ terms, element by element, with the factors of `keep`: 0 for what is dropped. */
export function combineTerms(
  tensor: ReferenceTensor,
  keep: readonly (readonly number[])[],
  terms: readonly Omit<Term, "thinning">[],
  { elect, normalize, floor, lambda, slack }: Consensus,
): Float64Array {
  const step = (value: number) => stepped(tensor.resolved, value);
  const deltas = tensor.models.map((model) => deltasOf(tensor, model));
  return tensor.base!.map((b, i) => {
    const left = terms.map(({ rescale }, m) => step(keep[m]![i]! * rescale * deltas[m]![i]!));
    const votes = terms.reduce((sum, { vote }, m) => sum + step(vote * left[m]!), 0);
    const elected = votes >= 0 ? 1 : -1;
    let change = 0;
    let [divisor, sizes] = [0, 0];
    for (const [m, { weight, vote }] of terms.entries()) {
      if (elect && vote * left[m]! * elected <= 0) continue;
      change += step(weight * left[m]!);
      divisor += weight;
      sizes += Math.abs(weight);
    }
    divisor = step(divisor);
    if (Math.abs(divisor) <= slack * sizes) divisor = 1;
    if (floor !== null) divisor = Math.max(divisor, floor);
    const mean = normalize ? step(step(change) / divisor) : step(change);
    return step(step(b) + step(lambda * mean));
  });
}
