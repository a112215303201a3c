import type { Gpu } from "../gpu/device.ts";
import { ResourceScope } from "../gpu/resourceScope.ts";
import { Recorder } from "../runtime/kernels/recorder.ts";
import { type MatrixSource, MatrixStrips } from "./matrixStrips.ts";
import { Subspace } from "./subspace.ts";
import { ThinAlgebra } from "./thinVectors.ts";

/** Vectors beyond those that are asked for (Halko, Martinsson and Tropp, section 4.2). */
const OVERSAMPLING = 16;

/** Leading singular values and vectors of a matrix A [rows, columns]. */
export interface LeadingSvd {
  /**
   * Descending; fewer than asked for where the matrix is smaller, or of lower rank to within 2⁻²¹ of
   * the largest; none where it is zero.
   */
  readonly values: Float64Array;
  /** ‖A‖²_F, the sum of the squares of all singular values. */
  readonly energy: number;
  /** Left singular vectors as rows, [values.length × rows]. */
  readonly left: Float32Array<ArrayBuffer>;
  /** Right singular vectors as rows, [values.length × columns]. */
  readonly right: Float32Array<ArrayBuffer>;
  /** Products with A·Aᵀ that it took. */
  readonly steps: number;
}

export interface LeadingSvdOptions {
  /** Singular values that are asked for. */
  readonly count: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/**
 * Leading singular values and vectors of a matrix of any size, by a randomised range finder with
 * subspace iteration (Halko, Martinsson and Tropp, Finding structure with randomness, SIAM Review 53,
 * 2011, algorithms 4.4 and 5.1). Vectors are orthonormalised after every product where the spectrum
 * falls steeply; where it is flat, as that of a fine-tune's change often is, a step is one of
 * Chebyshev's recurrence on A·Aᵀ, which converges in the root of the steps. It stops once the energy
 * that the leading values keep is within about 10⁻⁴ of the largest possible.
 *
 * The same seed gives the same bits on the same adapter. GPU memory: 16 bytes · (count + 16) ·
 * min(rows, columns), 8 bytes · (count + 16) · max(rows, columns), a strip of 48 MiB, and the matrix
 * where it fits the budget. `nonfinite` where the matrix holds NaN or infinity, `gpu-memory` where
 * the vectors do not fit.
 */
export async function leadingSvd(
  gpu: Gpu,
  source: MatrixSource,
  options: LeadingSvdOptions,
): Promise<LeadingSvd> {
  const scope = new ResourceScope();
  try {
    const recorder = scope.keep(new Recorder(gpu));
    return await factorise(recorder, source, options, scope);
  } finally {
    scope.release();
  }
}

async function factorise(
  recorder: Recorder,
  source: MatrixSource,
  { count: wanted, seed, signal }: LeadingSvdOptions,
  scope: ResourceScope,
): Promise<LeadingSvd> {
  const { rows, columns } = source;
  const smaller = Math.min(rows, columns);
  const count = Math.min(wanted, smaller);
  const vectors = Math.min(count + OVERSAMPLING, smaller);
  const algebra = new ThinAlgebra(recorder.gpu, recorder, vectors, scope);
  const subspace = new Subspace(algebra, source, vectors);
  const matrix = await MatrixStrips.open(source, recorder, { scope, signal });
  if (matrix.energy === 0) {
    const none = new Float32Array(0);
    return { values: new Float64Array(0), energy: 0, left: none, right: none, steps: 0 };
  }
  const steps = await subspace.converge(matrix, { count, seed, isWhole: vectors === smaller });
  const { values, near, far } = await subspace.singularVectors(count);
  const [left, right] = rows <= columns ? [near, far] : [far, near];
  return {
    values: values.map((value) => value / matrix.unit),
    energy: matrix.energy,
    left,
    right,
    steps,
  };
}
