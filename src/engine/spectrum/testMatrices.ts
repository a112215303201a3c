import type { DType, OutputDType } from "../contract/index.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { uniform } from "../core/random.ts";
import { fromF32 } from "../core/tensor/convert.ts";
import type { MatrixSource } from "./matrixStrips.ts";

/** A matrix of goldens/spectrum.json, which interop/spectrum.py wrote, with its singular values by LAPACK. */
export interface SpectrumCase {
  readonly name: string;
  readonly seed: number;
  readonly rows: number;
  readonly columns: number;
  readonly weights: readonly number[];
  readonly noise: number;
  readonly energy: number;
  /** Descending, in float64. */
  readonly values: readonly number[];
}

const signed = (seed: number, counter: number) => 2 * uniform(seed, counter) - 1;

/** For tests: the matrix of a case, by the formula of interop/spectrum.py. */
export function makeMatrix({
  seed,
  rows,
  columns,
  weights,
  noise,
}: Omit<SpectrumCase, "name" | "energy" | "values">): Float32Array<ArrayBuffer> {
  const matrix = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = noise * signed(3 * seed + 2, i * columns + j);
      for (const [r, weight] of weights.entries()) {
        sum += weight * (signed(3 * seed, r * rows + i) * signed(3 * seed + 1, r * columns + j));
      }
      matrix[i * columns + j] = sum;
    }
  }
  return matrix;
}

/** For tests: a tensor in memory. */
export function tensorOf(
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  dtype: OutputDType = "F32",
) {
  const bytes = fromF32(values, dtype);
  return {
    name: "weight",
    dtype: dtype satisfies DType,
    shape,
    byteLength: bytes.byteLength,
    elementCount: values.length,
    file: "model.safetensors",
    source: bytesInMemory(bytes),
    start: 0,
  };
}

/** For tests: a matrix by itself, or as the change of a base. */
export function sourceOf(
  [rows, columns]: readonly [number, number],
  model: Float32Array<ArrayBuffer>,
  base: Float32Array<ArrayBuffer> | null = null,
): MatrixSource {
  const shape = [rows, columns];
  return {
    name: "weight",
    rows,
    columns,
    model: tensorOf(model, shape),
    base: base && tensorOf(base, shape),
  };
}
