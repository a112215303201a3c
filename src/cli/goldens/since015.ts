import { keepLargest } from "../../engine/merge/methods/taskVectors/reference.ts";
import type { MethodCase } from "./manifest.ts";

/** What 0.1.5 answers: the base, the sum of the largest changes, or these values. */
type Since = "base" | "largest" | readonly number[];

/**
 * Cases that mergekit 0.1.4, whose answers the goldens are, refuses, answers with NaN or, where gamma
 * rounds down to no element, with the base, and that 0.1.5, as which recipes are read, answers. Seen
 * by running 0.1.5 on the goldens' inputs.
 */
export const SINCE_0_1_5: Readonly<Record<string, Since>> = {
  "breadcrumbs/gamma0_bug": "largest",
  "breadcrumbs/small_tensor_bug": "largest",
  "breadcrumbs_ties/gamma0_bug": "largest",
  "breadcrumbs_ties/small_tensor_bug": "largest",
  "model_stock/opposite": "base",
  "ties/density0": "base",
  "ties/k0_v": [
    0.01128886453807354, -0.0031234424095600843, -0.006689951755106449, -0.011600934900343418,
    -0.009656313806772232, -0.022425800561904907, -0.013895206153392792,
  ],
};

/** Base and weighted sum of each model's largest changes, without those against the sum's sign. */
export function addLargest(
  { method, model_params: params }: MethodCase,
  base: Float64Array,
  models: readonly Float64Array[],
): Float64Array {
  const changes = models.map((model, m) => {
    const delta = model.map((x, i) => x - base[i]!);
    const kept = Math.trunc(Number(params[m]?.density) * delta.length);
    const keep = keepLargest(
      delta.map((d) => Math.abs(Math.fround(d))),
      kept,
    );
    return delta.map((d, i) => (keep[i] ? Number(params[m]?.weight) * d : 0));
  });
  return base.map((own, i) => {
    const terms = changes.map((change) => change[i]!);
    const sum = terms.reduce((total, term) => total + term, 0);
    const agreeing = terms.filter((term) => term * (sum >= 0 ? 1 : -1) > 0);
    const left = method.endsWith("_ties") ? agreeing : terms;
    return left.reduce((total, term) => total + term, own);
  });
}

/** Recipes that mergekit 0.1.4 plans and fails to run, and 0.1.5 refuses. */
export const REFUSED_SINCE_0_1_5: readonly string[] = [
  "slerp_two_plus_base",
  "linear_with_base_per_model_weight",
];
