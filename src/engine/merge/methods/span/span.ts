import { layOut, type Part } from "../../../gpu/tiles/tiling.ts";
import {
  defineMethod,
  type MergeMethod,
  type ReferenceTensor,
  type Resolved,
} from "../../method.ts";
import { type Gram, gramOf, gramSums } from "./gram.ts";

/** What is known of the vectors of a tensor, or of one of its rows or columns. */
export interface Vectors {
  readonly name: string;
  readonly resolved: Resolved;
  /** Inner products: of the base, where it is blended, then of the models. */
  readonly gram: Gram;
}

/**
 * A method whose result lies in the span of its inputs: base + Σ cₘ (xₘ - base), or Σ cₘ xₘ where there
 * is no base or it is one of the vectors. It states the coefficients and needs no shader.
 */
export interface SpanMethod
  extends Omit<
    MergeMethod,
    "select" | "reduce" | "reduceConstants" | "apply" | "decide" | "reference"
  > {
  /** What is a vector: the tensor, each of its rows or each of its columns. Without it the tensor. */
  part?(resolved: Resolved): Part;
  /** One coefficient for each vector, in float64. */
  coefficients(vectors: Vectors): readonly number[];
}

/** A span method as a merge method. */
export function defineSpanMethod({ part, coefficients, ...method }: SpanMethod): MergeMethod {
  const partOf = (resolved: Resolved): Part => part?.(resolved) ?? "tensor";
  return defineMethod({
    ...method,
    reduce: (resolved) => ({ ...gramSums, part: partOf(resolved) }),
    apply: () => "delta_sum",
    decide: (unit) =>
      unit.map(({ name, resolved, facts, hasBase }) => {
        const blended = Number(method.blendsBase === true && hasBase);
        const constants = coefficients({
          name,
          resolved,
          gram: gramOf(facts, resolved.models.length + blended),
        });
        // A blended base has a coefficient of its own, which is not shown.
        return { constants, shares: constants.slice(constants.length - resolved.models.length) };
      }),
    reference: (unit) =>
      unit.map((tensor) => {
        const vectors =
          method.blendsBase && tensor.base ? [tensor.base, ...tensor.models] : tensor.models;
        const base = method.blendsBase ? null : tensor.base;
        return combine(tensor, vectors, base, partOf(tensor.resolved), coefficients);
      }),
  });
}

/** The combination once more, element by element, with inner products as they are defined. */
function combine(
  { name, shape, resolved }: ReferenceTensor,
  vectors: readonly Float64Array[],
  base: Float64Array | null,
  part: Part,
  coefficients: SpanMethod["coefficients"],
): Float64Array {
  const merged = new Float64Array(vectors[0]!.length);
  const change = (vector: Float64Array, i: number) => vector[i]! - (base?.[i] ?? 0);
  for (const places of placesOf(shape, part)) {
    const gram = vectors.map((a) =>
      vectors.map((b) => places.reduce((sum, i) => sum + change(a, i) * change(b, i), 0)),
    );
    const shares = coefficients({ name, resolved, gram });
    for (const i of places) {
      merged[i] = vectors.reduce(
        (sum, vector, m) => sum + shares[m]! * change(vector, i),
        base?.[i] ?? 0,
      );
    }
  }
  return merged;
}

/** The places of each part's elements within the tensor. */
function placesOf(shape: readonly number[], wanted: Part): readonly (readonly number[])[] {
  const { part, rows, rowLength } = layOut(shape, wanted);
  const count = (length: number, at: (i: number) => number) =>
    Array.from({ length }, (_, i) => at(i));
  if (part === "column") {
    return count(rowLength, (c) => c).map((c) => count(rows, (r) => r * rowLength + c));
  }
  return count(rows, (r) => r).map((r) => count(rowLength, (c) => r * rowLength + c));
}
