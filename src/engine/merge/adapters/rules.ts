import type { AdapterRule } from "../../contract/index.ts";
import { uniform } from "../../core/random.ts";

/** Numbers that a rule takes beside the weights. */
export interface RuleSettings {
  /** Share of the elements that is kept; 1 keeps all. */
  readonly density: number;
  readonly seed: number;
  /** TIES' vote: by the sum of the values, or by the number of signs. */
  readonly vote: "total" | "frequency";
}

/**
 * Combines tensors of equal length element by element, by the rules of PEFT 0.21.2
 * (`peft/utils/merge_utils.py`): Σ wᵢ·τᵢ, of pruned τᵢ where `density` is below 1. TIES adds only
 * what has the elected sign, which unweighted values elect (a tie elects +), and divides by how many
 * do. DARE keeps an element by chance and divides it by the density. `draw` tells apart what is
 * drawn; of equal magnitudes at a cut the first are kept.
 */
export function combine(
  rule: AdapterRule,
  tensors: readonly Float64Array[],
  weights: readonly number[],
  { density, seed, vote }: RuleSettings,
  draw: number,
): Float64Array {
  const pruned = tensors.map((tensor, i) => {
    if (rule === "linear" || density >= 1) return tensor;
    return rule.startsWith("dare")
      ? drop(tensor, density, seed + draw * 1_000_003 + i)
      : keepLargest(tensor, density);
  });
  if (rule === "ties" || rule === "dare_ties") return addAgreeing(pruned, weights, vote);
  const sum = new Float64Array(pruned[0]!.length);
  for (const [i, tensor] of pruned.entries()) {
    for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! + weights[i]! * tensor[at]!;
  }
  return sum;
}

/** The ⌊density · n⌋ values of largest magnitude; the others zero. */
function keepLargest(tensor: Float64Array, density: number): Float64Array {
  const count = Math.floor(density * tensor.length);
  const kept = new Float64Array(tensor.length);
  if (count === 0) return kept;
  const sizes = tensor.map(Math.abs).sort();
  const cut = sizes[sizes.length - count]!;
  // What is above the cut is kept, and the first of those on it.
  let left = count - sizes.reduce((sum, size) => sum + (size > cut ? 1 : 0), 0);
  for (const [at, value] of tensor.entries()) {
    const size = Math.abs(value);
    if (size > cut || (size === cut && left-- > 0)) kept[at] = value;
  }
  return kept;
}

/** Each value divided by the density with that probability, else zero. */
function drop(tensor: Float64Array, density: number, seed: number): Float64Array {
  return tensor.map((value, at) => (uniform(seed, at) < density ? value / density : 0));
}

function addAgreeing(
  tensors: readonly Float64Array[],
  weights: readonly number[],
  vote: RuleSettings["vote"],
): Float64Array {
  const merged = new Float64Array(tensors[0]!.length);
  for (let at = 0; at < merged.length; at++) {
    let votes = 0;
    for (const tensor of tensors) votes += vote === "total" ? tensor[at]! : Math.sign(tensor[at]!);
    const elected = votes >= 0 ? 1 : -1;
    let sum = 0;
    let agreeing = 0;
    for (const [i, tensor] of tensors.entries()) {
      if (Math.sign(tensor[at]!) !== elected) continue;
      sum += weights[i]! * tensor[at]!;
      agreeing += 1;
    }
    merged[at] = sum / Math.max(agreeing, 1);
  }
  return merged;
}
