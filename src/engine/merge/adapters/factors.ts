import type { AdapterMethod } from "../../contract/index.ts";
import {
  type Matrix,
  multiply,
  orthonormalRows,
  rowOf,
  rowsOf,
  scaled,
  smallSvd,
  stacked,
  transposed,
  zeros,
} from "./matrix.ts";
import { combine, type RuleSettings } from "./rules.ts";

/** One adapter's change of a module: weight · scale · B · A. */
export interface Share {
  /** `[rank, inputs]`. */
  readonly a: Matrix;
  /** Transposed B, `[rank, outputs]`. */
  readonly bt: Matrix;
  /** alpha/rank, divided by that of the result. */
  readonly scale: number;
  readonly weight: number;
}

/** Singular values below this share of the largest are roundings, not directions of the changes. */
const NO_DIRECTION = 2 ** -36;

/** Factors of a merged change, as those of a share. */
export type Factors = Pick<Share, "a" | "bt">;

/** Rank that a method gives a module whose shares have these ranks. */
export function mergedRank(
  { space }: AdapterMethod,
  ranks: readonly number[],
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
  wanted: number | null,
): number {
  const sum = ranks.reduce((total, rank) => total + rank, 0);
  const largest = Math.max(...ranks);
  const own = space === "factors" || space === "svd" ? largest : sum;
  const most = space === "factors" || space === "cat" ? own : Math.min(own, inputs, outputs);
  return wanted === null ? most : Math.min(wanted, most);
}

/**
 * Merges the changes of one module into factors of `rank`, in float64. What has more is cut to the
 * closest change of that rank (Eckart and Young). `draw` tells modules apart in what is drawn.
 */
export function mergeFactors(
  { space, rule }: AdapterMethod,
  shares: readonly Share[],
  rank: number,
  settings: RuleSettings,
  draw: number,
): Factors {
  const weights = shares.map(({ weight }) => weight);
  switch (space) {
    case "factors": {
      const merged = mergeEachFactor(rule, shares, settings, draw);
      return merged.a.rows === rank ? merged : compress(merged, rank);
    }
    case "cat":
    case "svd": {
      const all = sideBySide(shares);
      return space === "cat" && all.a.rows === rank ? all : compress(all, rank);
    }
    case "core": {
      const { cores, outputs, inputs } = coreSpace(shares);
      const parts = cores.map(({ values }) => values);
      const merged = combine(rule, parts, weights, settings, draw);
      return leading({ outputs, core: { ...cores[0]!, values: merged }, inputs }, rank);
    }
    case "knots": {
      const { parts, outputs } = knots(shares);
      const values = parts.map((part) => part.values);
      const merged = combine(rule, values, weights, settings, draw);
      const { coordinates, basis } = orthonormalRows({ ...parts[0]!, values: merged });
      return leading({ outputs, core: coordinates, inputs: basis }, rank);
    }
  }
}

/** PEFT's rules on A and on B by themselves: each takes the root of a weight, A its sign. */
function mergeEachFactor(
  rule: AdapterMethod["rule"],
  shares: readonly Share[],
  settings: RuleSettings,
  draw: number,
): Factors {
  const whole = shares.map(({ weight, scale }) => weight * scale);
  const roots = whole.map((weight) => Math.sqrt(Math.abs(weight)));
  const signed = roots.map((root, i) => (whole[i]! < 0 ? -root : root));
  const merge = (factors: readonly Matrix[], weights: readonly number[], part: number) => {
    const values = factors.map((factor) => factor.values);
    return { ...factors[0]!, values: combine(rule, values, weights, settings, 2 * draw + part) };
  };
  return {
    a: merge(
      shares.map(({ a }) => a),
      signed,
      0,
    ),
    bt: merge(
      shares.map(({ bt }) => bt),
      roots,
      1,
    ),
  };
}

/** The sum of all changes: A scaled and stacked, B side by side. */
function sideBySide(shares: readonly Share[]): Factors {
  return {
    a: stacked(shares.map(({ a, scale, weight }) => scaled(scale * weight, a))),
    bt: stacked(shares.map(({ bt }) => bt)),
  };
}

/**
 * Core Space (arXiv:2509.17786, section 3.2): the changes U · Mᵢ · Vᵀ in the left singular vectors U
 * of all B side by side and the right ones V of all A stacked, which lose nothing of them.
 */
function coreSpace(shares: readonly Share[]) {
  const outputs = singularBasis(stacked(shares.map(({ bt }) => bt)));
  const inputs = singularBasis(stacked(shares.map(({ a }) => a)));
  let first = 0;
  const cores = shares.map(({ a: { rows }, scale }) => {
    const left = transposed(rowsOf(outputs.coordinates, first, rows));
    const right = rowsOf(inputs.coordinates, first, rows);
    first += rows;
    return scaled(scale, multiply(left, right));
  });
  return { cores, outputs: outputs.basis, inputs: inputs.basis };
}

/** X in its right singular vectors: X = coordinates · basis. */
function singularBasis(x: Matrix) {
  const { coordinates, basis } = orthonormalRows(x);
  const { values, left, right } = smallSvd(coordinates);
  const scaledLeft = { ...left, values: left.values.slice() };
  for (const [i, value] of values.entries()) {
    const row = rowOf(scaledLeft, i);
    for (let at = 0; at < row.length; at++) row[at] = value * row[at]!;
  }
  return { coordinates: transposed(scaledLeft), basis: multiply(right, basis), values };
}

/**
 * KnOTS (arXiv:2410.19735, section 4): the changes side by side are U · [P₁ … Pₙ], U their left singular
 * vectors, Pᵢ = Σ · Vᵢᵀ. Aᵢ is written in an orthonormal basis of its rows first, so that the matrix that
 * is decomposed has the sum of the ranks as its width. Directions that no change has are left out, since
 * a rule's density counts elements.
 */
function knots(shares: readonly Share[]) {
  const bases = shares.map(({ a }) => orthonormalRows(a));
  const sides = shares.map(({ bt, scale }, i) =>
    multiply(scaled(scale, transposed(bases[i]!.coordinates)), bt),
  );
  const { coordinates, basis, values } = singularBasis(stacked(sides));
  const rank = values.filter((value) => value > NO_DIRECTION * values[0]!).length;
  let first = 0;
  const parts = bases.map(({ basis: own }) => {
    const part = rowsOf(transposed(rowsOf(coordinates, first, own.rows)), 0, rank);
    first += own.rows;
    return multiply(part, own);
  });
  return { parts, outputs: rowsOf(basis, 0, rank) };
}

/** Factors of the closest change of a rank. */
function compress({ a, bt }: Factors, rank: number): Factors {
  const [left, right] = [orthonormalRows(bt), orthonormalRows(a)];
  const core = multiply(transposed(left.coordinates), right.coordinates);
  return leading({ outputs: left.basis, core, inputs: right.basis }, rank);
}

/** The `rank` leading singular triplets of outputsᵀ · core · inputs, each factor with the root of the value. */
function leading(
  change: { readonly outputs: Matrix; readonly core: Matrix; readonly inputs: Matrix },
  rank: number,
): Factors {
  const svd = smallSvd(change.core);
  const project = (vectors: Matrix, basis: Matrix): Matrix => {
    const found = Math.min(rank, svd.values.length);
    const all = zeros(rank, basis.columns);
    const product = multiply(rowsOf(vectors, 0, found), basis);
    for (let i = 0; i < found; i++) {
      const root = Math.sqrt(svd.values[i]!);
      rowOf(all, i).set(rowOf(product, i).map((value) => root * value));
    }
    return all;
  };
  return { bt: project(svd.left, change.outputs), a: project(svd.right, change.inputs) };
}
