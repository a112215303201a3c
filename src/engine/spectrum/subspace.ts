import { multiply } from "../runtime/kernels/multiply.ts";
import { isConverged } from "./convergence.ts";
import { cutStrips, type MatrixSource, type MatrixStrips } from "./matrixStrips.ts";
import { type Doubled, orthonormalise, product, transposed } from "./orthonormalise.ts";
import { symmetricEigen } from "./symmetricEigen.ts";
import type { ThinAlgebra, ThinVectors } from "./thinVectors.ts";

/** Steps after which the subspace is taken as it is. */
const MOST_STEPS = 60;
/** Ratio of the squared singular values of a subspace up to which its spectrum counts as flat. */
const FLAT = 1e4;
/** Share of the largest singular value below which others are float32's rounding. */
const NOISE = 2 ** -21;

/** An orthonormal basis, and the one before it where Chebyshev's recurrence goes on. */
interface Basis {
  readonly vectors: ThinVectors;
  readonly previous: ThinVectors | null;
  /** Buffers for the next two. */
  readonly free: readonly [ThinVectors, ThinVectors, ThinVectors?];
}

/** Vectors that converge to the leading singular vectors of a matrix: `near` along its shorter axis. */
export class Subspace {
  readonly #algebra: ThinAlgebra;
  readonly #isTall: boolean;
  readonly #count: number;
  #basis: Basis;
  /** Images A·x of the basis, along the longer axis. */
  #images: Doubled;

  constructor(algebra: ThinAlgebra, source: MatrixSource, count: number) {
    this.#algebra = algebra;
    this.#count = count;
    const { rows, columns } = source;
    this.#isTall = rows > columns;
    const alongRows = cutStrips(source).map((strip) => strip.rows);
    const [near, far] = this.#isTall ? [[columns], alongRows] : [alongRows, [columns]];
    const allocate = (lengths: readonly number[]) => algebra.allocate(lengths);
    this.#basis = {
      vectors: allocate(near),
      previous: null,
      free: [allocate(near), allocate(near), allocate(near)],
    };
    this.#images = { vectors: allocate(far), spare: allocate(far) };
  }

  /** Iterates until `count` leading vectors keep as much energy as they can; returns the steps. */
  async converge(
    matrix: MatrixStrips,
    {
      count,
      seed,
      isWhole,
    }: {
      readonly count: number;
      readonly seed: number;
      /** Whether the basis spans the whole space, so that nothing is left to be found. */
      readonly isWhole: boolean;
    },
  ): Promise<number> {
    this.#algebra.fillRandom(this.#basis.vectors, seed);
    await this.#take(this.#basis.vectors);
    const kept: number[] = [];
    for (let step = 1; ; step++) {
      await this.#multiply(matrix, "far", this.#basis.vectors, this.#images.vectors);
      const { values } = await this.#ritz();
      kept.push(values.subarray(0, count).reduce((sum, value) => sum + value, 0));
      if (isWhole || step === MOST_STEPS || isConverged(kept)) return step;
      const least = values.at(-1)!;
      if (values[0]! < FLAT * least) await this.#chebyshev(matrix, least);
      else await this.#iterate(matrix);
    }
  }

  /** The leading singular values and vectors that the subspace holds, after it has converged. */
  async singularVectors(count: number) {
    const n = this.#count;
    const { main, inverse } = await orthonormalise(this.#algebra, this.#images);
    // Images are inverse · q, so A = Σ xᵢ · inverse[i, j] · qⱼ, and inverse = W·Σ·Uᵀ.
    const { values: squares, vectors: w } = symmetricEigen(
      product(inverse, transposed(inverse, n), n),
      n,
    );
    const least = NOISE ** 2 * squares[0]!;
    const values = squares
      .subarray(0, count)
      .filter((square) => square > least)
      .map(Math.sqrt);
    const u = product(w, inverse, n).map((entry, i) => entry / values[Math.floor(i / n)]!);
    const leading = (t: Float64Array) => t.subarray(0, values.length * n);
    const { vectors, free } = this.#basis;
    const near = await this.#algebra.transform(leading(w), vectors, free[0]);
    const far = await this.#algebra.transform(leading(u), main.vectors, main.spare);
    return {
      values,
      near: await this.#algebra.read(near),
      far: await this.#algebra.read(far),
    };
  }

  /** Eigenvalues of AᵀA on the basis: squares of its singular values. */
  async #ritz() {
    return symmetricEigen(await this.#algebra.gram(this.#images.vectors), this.#count);
  }

  /** Makes orthonormal `vectors` the basis; the recurrence begins anew. */
  async #take(vectors: ThinVectors): Promise<void> {
    const others = [this.#basis.vectors, this.#basis.previous, ...this.#basis.free].filter(
      (one): one is ThinVectors => one !== null && one !== undefined && one !== vectors,
    );
    const [spare, second, third] = others as [ThinVectors, ThinVectors, ThinVectors];
    const { main } = await orthonormalise(this.#algebra, { vectors, spare });
    this.#basis = { vectors: main.vectors, previous: null, free: [main.spare, second, third] };
  }

  /** x ← orth(Aᵀ · orth(A·x)), as for a steep spectrum. */
  async #iterate(matrix: MatrixStrips): Promise<void> {
    const { main } = await orthonormalise(this.#algebra, this.#images);
    this.#images = main;
    const [image] = this.#basis.free;
    await this.#multiply(matrix, "near", main.vectors, image);
    await this.#take(image);
  }

  /**
   * A step of Chebyshev's recurrence T₊ = 2t·T − T₋ with t = 2·AᵀA/least − 1, which damps all singular
   * values whose square is below `least` and lets those above grow fastest. Basis and predecessor get
   * the same transform, so that the recurrence goes on.
   */
  async #chebyshev(matrix: MatrixStrips, least: number): Promise<void> {
    const { vectors, previous, free } = this.#basis;
    const [next, spare, third] = free;
    await this.#multiply(matrix, "near", this.#images.vectors, next);
    if (previous) await this.#algebra.combine(next, [4 / least, 2, 1], vectors, previous);
    else await this.#algebra.combine(next, [2 / least, 1, 0], vectors, vectors);
    const other = previous ?? third!;
    const { main, alongside } = await orthonormalise(
      this.#algebra,
      { vectors: next, spare },
      { vectors, spare: other },
    );
    this.#basis = {
      vectors: main.vectors,
      previous: alongside!.vectors,
      free: [main.spare, alongside!.spare],
    };
  }

  /** out = A · x towards the longer axis, Aᵀ · x towards the shorter one. */
  async #multiply(
    matrix: MatrixStrips,
    towards: "near" | "far",
    x: ThinVectors,
    out: ThinVectors,
  ): Promise<void> {
    const toRows = (towards === "far") === this.#isTall;
    const { recorder } = this.#algebra;
    const kernel = this.#algebra.kernel(this.#count);
    await matrix.each(async (strip, index) => {
      const from = x.pieces[toRows ? 0 : index]!;
      const to = out.pieces[toRows ? index : 0]!;
      await multiply(
        recorder,
        { ...from, offset: 0 },
        strip,
        { ...to, offset: 0 },
        {
          rows: x.count,
          layout: toRows ? "out_in" : "in_out",
          bias: null,
          accumulate: !toRows && index > 0,
          kernel,
        },
      );
    });
  }
}
