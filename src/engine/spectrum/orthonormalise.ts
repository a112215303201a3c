import { symmetricEigen } from "./symmetricEigen.ts";
import type { ThinAlgebra, ThinVectors } from "./thinVectors.ts";

/** Rounds: each makes directions of the last 2⁻¹⁰ of the length a thousand times longer. */
const MOST_ROUNDS = 4;
/** Roundings of float32 that a sum of n products may be off by, from that of a few to √n. */
const roundings = (n: number) => 2 ** -24 * (16 + Math.sqrt(n));
/** Share of the largest eigenvalue below which float32 inner products are noise. */
const NOISE = 2 ** -20;
/** Length², relative to 1, of a vector that counts as zero. */
const ZERO = 1e-12;

/** Vectors and the buffers for their next state. */
export interface Doubled {
  readonly vectors: ThinVectors;
  readonly spare: ThinVectors;
}

/**
 * Orthonormalises vectors by the eigenvectors of their inner products (SVQB: Stathopoulos and Wu,
 * SIAM J. Sci. Comput. 23, 2002), in rounds, so that vectors of any condition become orthonormal to
 * what float32 can tell. Zero vectors stay zero. `alongside` gets the same transforms. `inverse` turns
 * the result into what was given, [count × count].
 */
export async function orthonormalise(
  algebra: ThinAlgebra,
  given: Doubled,
  alongside: Doubled | null = null,
): Promise<{
  readonly main: Doubled;
  readonly alongside: Doubled | null;
  readonly inverse: Float64Array;
}> {
  const { count } = given.vectors;
  let main = given;
  let beside = alongside;
  let inverse: Float64Array | null = null;
  const tolerance = roundings(Math.max(...given.vectors.pieces.map(({ length }) => length)));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const gram = await algebra.gram(main.vectors);
    if (round > 0 && isOrthonormal(gram, count, tolerance)) break;
    const { values, vectors } = symmetricEigen(gram, count);
    const least = Math.max(NOISE * values[0]!, Number.MIN_VALUE);
    const lengths = values.map((value) => Math.sqrt(Math.max(value, least)));
    const t = vectors.map((entry, i) => entry / lengths[Math.floor(i / count)]!);
    main = await step(algebra, t, main);
    beside = beside && (await step(algebra, t, beside));
    // T⁻¹ = Vᵀ · lengths, V's rows being orthonormal.
    const back = transposed(vectors, count).map((entry, i) => entry * lengths[i % count]!);
    inverse = inverse ? product(inverse, back, count) : back;
  }
  return { main, alongside: beside, inverse: inverse! };
}

async function step(algebra: ThinAlgebra, t: Float64Array, { vectors, spare }: Doubled) {
  return { vectors: await algebra.transform(t, vectors, spare), spare: vectors };
}

function isOrthonormal(gram: Float64Array, count: number, tolerance: number): boolean {
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const entry = gram[i * count + j]!;
      const want = i === j && entry > ZERO ? 1 : 0;
      if (!(Math.abs(entry - want) <= tolerance)) return false;
    }
  }
  return true;
}

/** Transpose of a `count` × `count` matrix. */
export function transposed(matrix: Float64Array, count: number): Float64Array {
  return matrix.map((_, i) => matrix[(i % count) * count + Math.floor(i / count)]!);
}

/** A·B of two `count` × `count` matrices. */
export function product(a: Float64Array, b: Float64Array, count: number): Float64Array {
  const result = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < count; k++) {
      const factor = a[i * count + k]!;
      for (let j = 0; j < count; j++) result[i * count + j]! += factor * b[k * count + j]!;
    }
  }
  return result;
}
