/** A matrix in float64, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export const zeros = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  values: new Float64Array(rows * columns),
});

export const rowOf = ({ columns, values }: Matrix, row: number): Float64Array =>
  values.subarray(row * columns, (row + 1) * columns);

function dot(a: Float64Array, b: Float64Array, from = 0): number {
  // Four sums: one would wait for each addition before the next.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = from;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + (s2 + s3);
}

/** a ← a + factor · b, from an index on. */
function add(a: Float64Array, factor: number, b: Float64Array, from = 0): void {
  for (let i = from; i < a.length; i++) a[i] = a[i]! + factor * b[i]!;
}

/** left · right. */
export function multiply(left: Matrix, right: Matrix): Matrix {
  const product = zeros(left.rows, right.columns);
  for (let row = 0; row < left.rows; row++) {
    for (let k = 0; k < right.rows; k++) {
      const factor = left.values[row * left.columns + k]!;
      if (factor !== 0) add(rowOf(product, row), factor, rowOf(right, k));
    }
  }
  return product;
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const turned = zeros(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned.values[column * rows + row] = values[row * columns + column]!;
    }
  }
  return turned;
}

/** The matrices one below the other. */
export function stacked(parts: readonly Matrix[]): Matrix {
  const all = zeros(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    parts[0]?.columns ?? 0,
  );
  let at = 0;
  for (const { values } of parts) {
    all.values.set(values, at);
    at += values.length;
  }
  return all;
}

/** Rows [first, first + count), in the same memory. */
export const rowsOf = ({ columns, values }: Matrix, first: number, count: number): Matrix => ({
  rows: count,
  columns,
  values: values.subarray(first * columns, (first + count) * columns),
});

export const scaled = (factor: number, { rows, columns, values }: Matrix): Matrix => ({
  rows,
  columns,
  values: values.map((value) => factor * value),
});

/**
 * X = coordinates · basis, the basis's rows orthonormal and as many as X's smaller side: an LQ
 * decomposition by Householder's reflections (Golub and Van Loan, Matrix Computations, 5.2.1), which
 * keeps the basis orthonormal where rows of X depend on each other.
 */
export function orthonormalRows(x: Matrix): {
  readonly coordinates: Matrix;
  readonly basis: Matrix;
} {
  const work = { ...x, values: x.values.slice() };
  const count = Math.min(x.rows, x.columns);
  const reflections: { readonly v: Float64Array; readonly factor: number }[] = [];
  for (let k = 0; k < count; k++) {
    const v = rowOf(work, k).slice();
    const length = Math.sqrt(dot(v, v, k));
    const head = v[k]!;
    const to = head > 0 ? -length : length; // away from the head, so that nothing cancels
    v[k] = head - to;
    const factor = length === 0 ? 0 : 1 / (length * (length + Math.abs(head)));
    for (let row = k; row < x.rows; row++) reflect(rowOf(work, row), v, factor, k);
    reflections.push({ v, factor });
  }
  const coordinates = zeros(x.rows, count);
  for (let row = 0; row < x.rows; row++) {
    rowOf(coordinates, row).set(rowOf(work, row).subarray(0, Math.min(count, row + 1)));
  }
  const basis = zeros(count, x.columns);
  for (let k = 0; k < count; k++) basis.values[k * x.columns + k] = 1;
  for (let k = count - 1; k >= 0; k--) {
    const { v, factor } = reflections[k]!;
    for (let row = 0; row < count; row++) reflect(rowOf(basis, row), v, factor, k);
  }
  return { coordinates, basis };
}

/** row ← row · (1 − factor · v·vᵀ), where v is zero before `from`. */
function reflect(row: Float64Array, v: Float64Array, factor: number, from: number): void {
  add(row, -factor * dot(row, v, from), v, from);
}

/** Singular values, descending, and their vectors as rows; as many as the smaller side. */
export interface Svd {
  readonly values: Float64Array;
  readonly left: Matrix;
  /** A row is zero where its singular value is. */
  readonly right: Matrix;
}

/** Sweeps over all pairs of rows after which they are orthogonal: six to ten in practice. */
const MOST_SWEEPS = 40;

/**
 * Singular values of a small matrix by one-sided Jacobi rotations of its rows (Golub and Van Loan,
 * 8.6.3): each to about 2^-52 of itself, not of the largest.
 */
export function smallSvd(matrix: Matrix): Svd {
  if (matrix.rows > matrix.columns) {
    const { values, left, right } = smallSvd(transposed(matrix));
    return { values, left: right, right: left };
  }
  const { rows } = matrix;
  const work = { ...matrix, values: matrix.values.slice() };
  const turns = zeros(rows, rows);
  for (let i = 0; i < rows; i++) turns.values[i * rows + i] = 1;
  for (let sweep = 0; sweep < MOST_SWEEPS && rotateAll(work, turns); sweep++);
  const lengths = Array.from({ length: rows }, (_, row) => {
    return Math.sqrt(dot(rowOf(work, row), rowOf(work, row)));
  });
  const order = lengths.map((_, i) => i).sort((i, j) => lengths[j]! - lengths[i]!);
  const [left, right] = [zeros(rows, rows), zeros(rows, matrix.columns)];
  for (const [to, from] of order.entries()) {
    rowOf(left, to).set(rowOf(turns, from));
    if (lengths[from]! > 0) add(rowOf(right, to), 1 / lengths[from]!, rowOf(work, from));
  }
  return { values: Float64Array.from(order, (i) => lengths[i]!), left, right };
}

/** Makes each pair of rows orthogonal once; whether any was not. */
function rotateAll(work: Matrix, turns: Matrix): boolean {
  let rotated = false;
  for (let i = 0; i < work.rows; i++) {
    for (let j = i + 1; j < work.rows; j++) {
      const [a, b] = [rowOf(work, i), rowOf(work, j)];
      const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
      if (Math.abs(ab) <= Number.EPSILON * Math.sqrt(aa * bb)) continue;
      rotated = true;
      const zeta = (bb - aa) / (2 * ab);
      const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + tangent * tangent);
      rotate(a, b, cosine, cosine * tangent);
      rotate(rowOf(turns, i), rowOf(turns, j), cosine, cosine * tangent);
    }
  }
  return rotated;
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}
