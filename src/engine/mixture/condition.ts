/**
 * Condition number of a matrix [rows, columns], the quotient of its largest and smallest singular
 * values: the square root of that of its Gram matrix, by Jacobi's rotations in float64. Infinite for
 * dependent rows.
 */
export function conditionNumber(values: Float32Array, rows: number): number {
  const columns = values.length / rows;
  const gram =
    rows <= columns ? gramOfRows(values, rows, columns) : gramOfColumns(values, rows, columns);
  const squares = eigenvalues(gram).map((value) => Math.max(0, value));
  return Math.sqrt(Math.max(...squares) / Math.min(...squares));
}

function gramOfRows(values: Float32Array, rows: number, columns: number): Float64Array[] {
  return Array.from({ length: rows }, (_, i) =>
    Float64Array.from({ length: rows }, (__, j) => {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += values[i * columns + c]! * values[j * columns + c]!;
      return sum;
    }),
  );
}

function gramOfColumns(values: Float32Array, rows: number, columns: number): Float64Array[] {
  return Array.from({ length: columns }, (_, i) =>
    Float64Array.from({ length: columns }, (__, j) => {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += values[r * columns + i]! * values[r * columns + j]!;
      return sum;
    }),
  );
}

/** Sweeps after which Jacobi's method has converged, for any symmetric matrix of this size. */
const SWEEPS = 30;

/** Eigenvalues of a symmetric matrix, which is overwritten (Golub and Van Loan, 8.5). */
function eigenvalues(a: Float64Array[]): readonly number[] {
  const n = a.length;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p]![q]! ** 2;
    const size = a.reduce((sum, row, i) => sum + row[i]! ** 2, 0);
    if (off <= 1e-32 * size) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, p, q);
  }
  return a.map((row, i) => row[i]!);
}

/** Rotates rows and columns p and q so that their common element becomes 0. */
function rotate(a: Float64Array[], p: number, q: number): void {
  const apq = a[p]![q]!;
  if (apq === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (const row of a) {
    const [kp, kq] = [row[p]!, row[q]!];
    row[p] = c * kp - s * kq;
    row[q] = s * kp + c * kq;
  }
  const [rp, rq] = [a[p]!, a[q]!];
  for (let k = 0; k < a.length; k++) {
    const [pk, qk] = [rp[k]!, rq[k]!];
    rp[k] = c * pk - s * qk;
    rq[k] = s * pk + c * qk;
  }
}
