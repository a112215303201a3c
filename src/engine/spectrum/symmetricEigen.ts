import { invariant } from "../core/invariant.ts";

/** Eigenvalues in descending order, and their eigenvectors as rows, `count` × `count`. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Steps after which an eigenvalue counts as not found: each takes two or three. */
const MOST_STEPS = 80;

/** A symmetric tridiagonal matrix; `beside[i]` stands between i and i + 1. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
}

/** H = 1 − factor · v·vᵀ, on the indices from `first` on. */
interface Reflection {
  readonly first: number;
  readonly v: Float64Array;
  readonly factor: number;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix in float64: Householder's reflections to a
 * tridiagonal matrix, then QR steps with Wilkinson's shift (Golub and Van Loan, Matrix Computations,
 * algorithms 8.3.1 to 8.3.3). Exact to about 2⁻⁵² of the largest eigenvalue. `matrix` is `count` ×
 * `count`.
 */
export function symmetricEigen(matrix: Float64Array, count: number): Eigen {
  const { tridiagonal, vectors } = tridiagonalise(matrix.slice(), count);
  diagonalise(tridiagonal, vectors, count);
  const { diagonal } = tridiagonal;
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[j]! - diagonal[i]!);
  const sorted = new Float64Array(count * count);
  for (const [to, from] of order.entries()) {
    sorted.set(vectors.subarray(from * count, (from + 1) * count), to * count);
  }
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors: sorted };
}

/** T and R with A = Rᵀ·T·R; `a` is overwritten. */
function tridiagonalise(
  a: Float64Array,
  n: number,
): { readonly tridiagonal: Tridiagonal; readonly vectors: Float64Array } {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const reflections: Reflection[] = [];
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k]!;
    const v = a.slice(k * n + k + 1, (k + 1) * n);
    const length = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
    const head = v[0] ?? 0;
    beside[k] = head > 0 ? -length : length; // away from the head, so that nothing cancels
    if (length === 0) continue;
    v[0] = head - beside[k]!;
    const reflection = { first: k + 1, v, factor: 1 / (length * (length + Math.abs(head))) };
    reflectBothSides(a, n, reflection);
    reflections.push(reflection);
  }
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (const reflection of reflections.reverse()) reflectColumns(vectors, n, reflection);
  return { tridiagonal: { diagonal, beside }, vectors };
}

/** A ← H·A·H = A − v·wᵀ − w·vᵀ. */
function reflectBothSides(a: Float64Array, n: number, { first, v, factor }: Reflection): void {
  const size = n - first;
  const w = new Float64Array(size);
  let along = 0;
  for (let i = 0; i < size; i++) {
    const row = (first + i) * n + first;
    let sum = 0;
    for (let j = 0; j < size; j++) sum += a[row + j]! * v[j]!;
    w[i] = factor * sum;
    along += w[i]! * v[i]!;
  }
  for (let i = 0; i < size; i++) w[i]! -= (factor * along * v[i]!) / 2;
  for (let i = 0; i < size; i++) {
    const row = (first + i) * n + first;
    const [vi, wi] = [v[i]!, w[i]!];
    for (let j = 0; j < size; j++) a[row + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** R ← R·H, where R is still the identity before `first`. */
function reflectColumns(r: Float64Array, n: number, { first, v, factor }: Reflection): void {
  for (let i = first; i < n; i++) {
    const row = i * n + first;
    let sum = 0;
    for (let j = 0; j < v.length; j++) sum += r[row + j]! * v[j]!;
    sum *= factor;
    for (let j = 0; j < v.length; j++) r[row + j]! -= sum * v[j]!;
  }
}

/** Turns T into a diagonal matrix; the rotations act on pairs of rows of `vectors`. */
function diagonalise(tridiagonal: Tridiagonal, vectors: Float64Array, n: number): void {
  const { diagonal, beside } = tridiagonal;
  const isSplit = (i: number) =>
    Math.abs(beside[i]!) <= Number.EPSILON * (Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!));
  let steps = 0;
  for (let high = n - 1; high > 0; ) {
    if (isSplit(high - 1)) {
      high--;
      steps = 0;
      continue;
    }
    let low = high - 1;
    while (low > 0 && !isSplit(low - 1)) low--;
    invariant(steps++ < MOST_STEPS, "QR steps find the eigenvalues of a finite symmetric matrix");
    qrStep(tridiagonal, vectors, n, { low, high });
  }
}

/** A step on rows `low` to `high`: a rotation that the shift decides, and those that it entails. */
function qrStep(
  { diagonal, beside }: Tridiagonal,
  vectors: Float64Array,
  n: number,
  { low, high }: { readonly low: number; readonly high: number },
): void {
  const half = (diagonal[high - 1]! - diagonal[high]!) / 2;
  const last = beside[high - 1]!;
  const away = half + (half >= 0 ? 1 : -1) * Math.hypot(half, last);
  let x = diagonal[low]! - (diagonal[high]! - (last * last) / away);
  let bulge = beside[low]!;
  for (let k = low; k < high; k++) {
    const length = Math.hypot(x, bulge);
    const [c, s] = length === 0 ? [1, 0] : [x / length, bulge / length];
    if (k > low) beside[k - 1] = length;
    const [first, second, between] = [diagonal[k]!, diagonal[k + 1]!, beside[k]!];
    diagonal[k] = c * c * first + 2 * c * s * between + s * s * second;
    diagonal[k + 1] = s * s * first - 2 * c * s * between + c * c * second;
    beside[k] = (c * c - s * s) * between + c * s * (second - first);
    x = beside[k]!;
    if (k + 1 < high) {
      bulge = s * beside[k + 1]!;
      beside[k + 1] = c * beside[k + 1]!;
    }
    rotateRows(vectors, n, { k, c, s });
  }
}

function rotateRows(
  vectors: Float64Array,
  n: number,
  { k, c, s }: { readonly k: number; readonly c: number; readonly s: number },
): void {
  const [upper, lower] = [k * n, (k + 1) * n];
  for (let i = 0; i < n; i++) {
    const [a, b] = [vectors[upper + i]!, vectors[lower + i]!];
    vectors[upper + i] = c * a + s * b;
    vectors[lower + i] = c * b - s * a;
  }
}
