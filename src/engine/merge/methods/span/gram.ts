import type { Facts, Reduction } from "../../method.ts";

/**
 * Gram matrix: inner products of vectors, in float64; symmetric, with squared norms on its
 * diagonal.
 */
export type Gram = readonly (readonly number[])[];

/** Number of vectors that each vector is multiplied with in the rows of sums, itself included. */
const shiftsOf = (vectors: number) => Math.floor(vectors / 2) + 1;

/**
 * Reduction with the rows of shaders/reduce/gram.wgsl: each pair of vectors once, four products a
 * row.
 */
export const gramSums: Reduction = {
  rule: "gram",
  rows: (vectors) => Math.ceil((vectors * shiftsOf(vectors)) / 4),
};

/** Gram matrix of so many vectors, from those rows. */
export function gramOf(facts: readonly Facts[], vectors: number): Gram {
  const gram = Array.from({ length: vectors }, () => Array.from({ length: vectors }, () => 0));
  const shifts = shiftsOf(vectors);
  for (const [k, value] of facts
    .flat()
    .slice(0, vectors * shifts)
    .entries()) {
    const m = Math.floor(k / shifts);
    const other = (m + (k % shifts)) % vectors;
    gram[m]![other] = value;
    gram[other]![m] = value;
  }
  return gram;
}

/** Inner product of two combinations of the vectors. */
export function product(gram: Gram, a: readonly number[], b: readonly number[]): number {
  return gram.reduce(
    (sum, row, i) => sum + a[i]! * row.reduce((inner, value, j) => inner + value * b[j]!, 0),
    0,
  );
}

/** Norm of a combination of the vectors; 0 where it cancels up to rounding. */
export function lengthOf(gram: Gram, a: readonly number[]): number {
  const square = product(gram, a, a);
  const longest = a.reduce((sum, value, i) => sum + Math.abs(value) * norm(gram, i), 0);
  return square <= 1e-15 * longest ** 2 ? 0 : Math.sqrt(square);
}

/** Norm of one vector. */
export const norm = (gram: Gram, i: number) => Math.sqrt(gram[i]![i]!);
