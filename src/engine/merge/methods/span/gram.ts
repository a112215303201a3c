import type { Facts, Reduction } from "../../method.ts";

/** The inner products of some vectors, in float64: symmetric, the squared lengths on its diagonal. */
export type Gram = readonly (readonly number[])[];

const foursOf = (vectors: number) => Math.ceil(vectors / 4);

/** The rows of shaders/reduce/gram.wgsl: of each vector its products with all, four in a row. */
export const gramSums: Reduction = {
  rule: "gram",
  rows: (vectors) => vectors * foursOf(vectors),
};

/** The matrix that those rows hold. */
export function gramOf(facts: readonly Facts[]): Gram {
  let vectors = 0;
  while (vectors * foursOf(vectors) < facts.length) vectors++;
  const fours = foursOf(vectors);
  return Array.from({ length: vectors }, (_, i) =>
    facts
      .slice(i * fours, (i + 1) * fours)
      .flat()
      .slice(0, vectors),
  );
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
