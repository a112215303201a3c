import type { Resolved } from "../../method.ts";
import { stepped } from "../taskVectors/params.ts";

/** Added to each probability, as in mergekit. */
const EPSILON = 1e-8;

/** Softmax of a line, rounded to the tensor's arithmetic. */
function softmax(resolved: Resolved, line: Float64Array): Float64Array {
  const values = line.map((value) => stepped(resolved, value));
  const largest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const sizes = values.map((value) => Math.exp(value - largest));
  const sum = sizes.reduce((total, size) => total + size, 0);
  return sizes.map((size) => stepped(resolved, size / sum));
}

/**
 * Kullback-Leibler divergence of a model's line from the base's, both taken for logits, in nats; in
 * float64, or with every step rounded to the tensor's arithmetic, where rounding may make it negative.
 */
export function divergence(resolved: Resolved, base: Float64Array, model: Float64Array): number {
  const step = (value: number) => stepped(resolved, value);
  const [own, others] = [softmax(resolved, model), softmax(resolved, base)];
  const isExact = (resolved.arithmetic ?? "F32") === "F32";
  let sum = 0;
  for (let i = 0; i < own.length; i++) {
    const [p, q] = [step(own[i]! + EPSILON), step(others[i]! + EPSILON)];
    if (p > 0 && q > 0) sum += step(p * step(Math.log(step(p / q))));
  }
  return isExact ? Math.max(0, sum) : step(sum);
}
