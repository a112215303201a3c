import { layOut, type Part } from "../../../gpu/tiles/tiling.ts";
import {
  defineMethod,
  type MergeMethod,
  type ReferenceTensor,
  type Resolved,
} from "../../method.ts";
import { stepped } from "../taskVectors/params.ts";
import { type Gram, gramOf, gramSums } from "./gram.ts";

/** Vectors of a tensor, or of one of its rows or columns, as a span method sees them. */
export interface Vectors {
  readonly name: string;
  readonly resolved: Resolved;
  /** Gram matrix of the base, where it is blended, and the models. */
  readonly gram: Gram;
}

/** How a method computes in a narrow arithmetic, rounding every step as mergekit does. */
export interface SpanSteps {
  /** Name of the apply rule: a file in shaders/merge. */
  readonly rule: string;
  /** Whether products are rounded before they are summed up to inner products. */
  readonly roundsProducts: boolean;
  /** Constants of the apply rule, from a Gram matrix of rounded vectors. */
  constants(vectors: Vectors): readonly number[];
  /** Reference: one element, by the same constants. */
  merge(
    constants: readonly number[],
    base: number | null,
    models: readonly number[],
    step: (value: number) => number,
  ): number;
}

/**
 * A method whose result is a linear combination of its inputs: base + Σ cₘ (xₘ - base), or Σ cₘ xₘ
 * where there is no base or it is one of the vectors. It states the coefficients and needs no
 * shader of its own.
 */
export interface SpanMethod
  extends Omit<
    MergeMethod,
    "select" | "reduce" | "reduceConstants" | "apply" | "decide" | "reference"
  > {
  /** Unit that counts as a vector: the tensor, each row or each column. By default the tensor. */
  part?(resolved: Resolved): Part;
  /** Coefficients, one for each vector, in float64. */
  coefficients(vectors: Vectors): readonly number[];
  /** Steps in a narrow arithmetic, for methods with `roundsSteps`. */
  readonly steps?: SpanSteps;
}

/** Makes a merge method of a span method. */
export function defineSpanMethod(about: SpanMethod): MergeMethod {
  const { part, coefficients, steps, ...method } = about;
  const partOf = (resolved: Resolved): Part => part?.(resolved) ?? "tensor";
  const stepsOf = ({ arithmetic = "F32" }: Resolved) => (arithmetic === "F32" ? null : steps);
  return defineMethod({
    ...method,
    reduce: (resolved) => ({ ...gramSums, part: partOf(resolved) }),
    linked: (resolved) => ({ ROUNDS_PRODUCTS: Number(stepsOf(resolved)?.roundsProducts ?? false) }),
    apply: (resolved) => stepsOf(resolved)?.rule ?? "delta_sum",
    decide: (unit) =>
      unit.map(({ name, resolved, facts, hasBase }) => {
        const blended = Number(method.blendsBase === true && hasBase);
        const gram = gramOf(facts, resolved.models.length + blended);
        const all = coefficients({ name, resolved, gram });
        const constants = stepsOf(resolved)?.constants({ name, resolved, gram }) ?? all;
        // A blended base's coefficient comes first and is not among the models' shares.
        return { constants, shares: all.slice(all.length - resolved.models.length) };
      }),
    reference: (unit) =>
      unit.map((tensor) => {
        const vectors =
          method.blendsBase && tensor.base ? [tensor.base, ...tensor.models] : tensor.models;
        const base = method.blendsBase ? null : tensor.base;
        const inSteps = stepsOf(tensor.resolved);
        if (inSteps) return combineInSteps(tensor, partOf(tensor.resolved), inSteps);
        return combine(tensor, vectors, base, partOf(tensor.resolved), coefficients);
      }),
  });
}

/** Reference: the combination element by element, with inner products by their definition. */
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

/** Reference: the same with every step rounded. */
function combineInSteps(
  { name, shape, resolved, base, models }: ReferenceTensor,
  part: Part,
  { roundsProducts, constants, merge }: SpanSteps,
): Float64Array {
  const step = (value: number) => stepped(resolved, value);
  const changes = models.map((model) =>
    model.map((x, i) => (base ? step(step(x) - step(base[i]!)) : step(x))),
  );
  const merged = new Float64Array(models[0]!.length);
  for (const places of placesOf(shape, part)) {
    const gram = changes.map((a, m) =>
      changes.map((b, n) => {
        const rounded = roundsProducts && m !== n ? step : (value: number) => value;
        return places.reduce((sum, i) => sum + rounded(a[i]! * b[i]!), 0);
      }),
    );
    const own = constants({ name, resolved, gram });
    for (const i of places) {
      const values = models.map((model) => step(model[i]!));
      merged[i] = merge(own, base && step(base[i]!), values, step);
    }
  }
  return merged;
}

/** Indices of each part's elements within the tensor. */
function placesOf(shape: readonly number[], wanted: Part): readonly (readonly number[])[] {
  const { part, rows, rowLength } = layOut(shape, wanted);
  const count = (length: number, at: (i: number) => number) =>
    Array.from({ length }, (_, i) => at(i));
  if (part === "column") {
    return count(rowLength, (c) => c).map((c) => count(rows, (r) => r * rowLength + c));
  }
  return count(rows, (r) => r).map((r) => count(rowLength, (c) => r * rowLength + c));
}
