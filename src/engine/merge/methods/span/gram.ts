import type { Facts, Reduction } from "../../method.ts";

/** The inner products of some vectors, in float64: symmetric, the squared lengths on its diagonal. */
export type Gram = readonly (readonly number[])[];

/** How many of the others each vector is multiplied with, itself included. */
const shiftsOf = (vectors: number) => Math.floor(vectors / 2) + 1;

/** The rows of shaders/reduce/gram.wgsl: every pair of vectors once, four products in a row. */
export const gramSums: Reduction = {
  rule: "gram",
  rows: (vectors) => Math.ceil((vectors * shiftsOf(vectors)) / 4),
};

/** The matrix of so many vectors that those rows hold. */
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

/** The inner product of two combinations of the vectors. */
export function product(gram: Gram, a: readonly number[], b: readonly number[]): number {
  return gram.reduce(
    (sum, row, i) => sum + a[i]! * row.reduce((inner, value, j) => inner + value * b[j]!, 0),
    0,
  );
}

/** The length of a combination; what is left of one that cancels is rounding, and counts as 0. */
export function lengthOf(gram: Gram, a: readonly number[]): number {
  const square = product(gram, a, a);
  const longest = a.reduce((sum, value, i) => sum + Math.abs(value) * norm(gram, i), 0);
  return square <= 1e-15 * longest ** 2 ? 0 : Math.sqrt(square);
}

/** The length of one of the vectors. */
export const norm = (gram: Gram, i: number) => Math.sqrt(gram[i]![i]!);
