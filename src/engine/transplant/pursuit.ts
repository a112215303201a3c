import { dot, type PickedRows } from "./pickedRows.ts";

/** Points of a combination and their weights. */
export interface Combination {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/** A target that is being put together. */
interface Pursuit {
  readonly target: Float32Array;
  readonly norm: number;
  readonly places: number[];
  readonly atoms: Float32Array[];
  /** Lower triangle of the Cholesky factor of the atoms' Gram matrix, row after row. */
  readonly factor: number[][];
  /** Solution of factor · y = atoms · target. */
  readonly solved: number[];
  weights: number[];
  readonly residual: Float32Array<ArrayBuffer>;
  done: boolean;
}

/** A residual that counts as none, and an atom as dependent, beside what it is a part of. */
const NOTHING = 1e-6;

/**
 * For each target and what is left of it, the place of the point with the largest inner product in
 * size, without the `taken` ones of it.
 */
export type Search = (
  residuals: readonly Float32Array[],
  taken: readonly (readonly number[])[],
) => Promise<readonly (number | null)[]>;

/**
 * Orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad, 1993): each target as the least
 * squares combination of at most k points, chosen one by one. The least squares are solved by Cholesky
 * factors in float64, a row for each point. A target ends early where nothing is left of it, or the
 * next point depends on those chosen.
 */
export async function pursue(
  targets: readonly Float32Array[],
  points: PickedRows,
  k: number,
  search: Search,
): Promise<readonly Combination[]> {
  const all = targets.map((target): Pursuit => {
    const norm = Math.sqrt(dot(target, target));
    return {
      target,
      norm,
      places: [],
      atoms: [],
      factor: [],
      solved: [],
      weights: [],
      residual: Float32Array.from(target),
      done: !(norm > 0),
    };
  });
  for (let step = 0; step < k; step++) {
    const open = all.filter(({ done }) => !done);
    if (open.length === 0) break;
    const found = await search(
      open.map(({ residual }) => residual),
      open.map(({ places }) => places),
    );
    const rows = await points.read(found.filter((place) => place !== null));
    for (const [i, pursuit] of open.entries()) {
      const place = found[i] ?? null;
      if (place === null) pursuit.done = true;
      else addAtom(pursuit, place, rows.get(place)!);
    }
  }
  return all.map(({ places, weights }) => ({ places, weights }));
}

function addAtom(pursuit: Pursuit, place: number, atom: Float32Array): void {
  const { atoms, factor, solved, target, residual } = pursuit;
  const row: number[] = [];
  for (const [i, other] of atoms.entries()) {
    let sum = dot(atom, other);
    for (let j = 0; j < i; j++) sum -= row[j]! * factor[i]![j]!;
    row.push(sum / factor[i]![i]!);
  }
  const energy = dot(atom, atom);
  const left = energy - dot(row, row);
  if (!(left > NOTHING ** 2 * energy)) {
    pursuit.done = true;
    return;
  }
  const pivot = Math.sqrt(left);
  solved.push((dot(atom, target) - dot(row, solved)) / pivot);
  factor.push([...row, pivot]);
  atoms.push(atom);
  pursuit.places.push(place);
  pursuit.weights = solveBack(factor, solved);
  const sum = Float64Array.from(target);
  for (const [i, each] of atoms.entries()) {
    const weight = pursuit.weights[i]!;
    for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! - weight * each[at]!;
  }
  residual.set(sum);
  pursuit.done = Math.sqrt(dot(sum, sum)) <= NOTHING * pursuit.norm;
}

/** Solution of factorᵀ · x = y. */
function solveBack(factor: readonly (readonly number[])[], y: readonly number[]): number[] {
  const x = [...y];
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i]! -= factor[j]![i]! * x[j]!;
    x[i]! /= factor[i]![i]!;
  }
  return x;
}
