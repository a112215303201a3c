import type { Groups } from "./types.ts";

/** Costs of aligning each of n source tokens with each of m pivot tokens. */
export interface CostTable {
  /** [distinct source strings, `columns`]: cost codes. */
  readonly codes: Uint16Array;
  readonly columns: number;
  /** Cost of each code. */
  readonly costs: Float64Array;
  /** Row of the cost table for each of the n source tokens. */
  readonly rows: Uint32Array;
  /** Column of the cost table for each of the m pivot tokens. */
  readonly pivots: Uint32Array;
}

/** Order of moves of equal cost after the diagonal. */
export type TieOrder = "source first" | "pivot first";

export interface Warping {
  readonly groups: Groups;
  /** Sum of the costs along the path. */
  readonly cost: number;
}

/** Backward moves in two bits; 0 is the diagonal. Previous source token, same pivot token. */
const SOURCE = 1;
/** Previous pivot token, same source token. */
const PIVOT = 2;
const MOVES_A_BYTE = 4;
/**
 * Half-width, in pivot tokens, of the band around the diagonal that a first path is searched in.
 */
const NARROW = 64;

/**
 * Dynamic time warping: D[i][j] = c[i][j] + min(D[i-1][j-1], D[i-1][j], D[i][j-1]), summed in float64
 * in that order, since costs of 0.1 make ties a matter of rounding. Takes at most n·m steps and n·m / 4
 * bytes: the way back is noted on the way there.
 *
 * A path close to the straight way is found first. Every token still to come stands beside some other,
 * which costs it something at least; so a cell from which no path can end as cheaply as that first one
 * is on no best path, and is not gone through: seven to nine of ten are not. Nor do they win a tie.
 */
export function warp(table: CostTable, ties: TieOrder): Warping {
  const [n, m] = [table.rows.length, table.pivots.length];
  const moves = new Uint8Array(n * Math.ceil(m / MOVES_A_BYTE));
  if (n === 0 || m === 0) return { groups: walkBack(moves, n, m), cost: 0 };
  const first = sweep(table, ties, moves, NARROW, null);
  const cost = sweep(table, ties, moves, m, limitsOf(table, first));
  return { groups: walkBack(moves, n, m), cost };
}

/** Lower bounds of the remaining cost, which limit the cells that are computed. */
interface Limits {
  readonly rows: Float64Array;
  readonly pivots: Float64Array;
}

/** Tolerance for sums that are equal but for the order of their additions. */
const ROUNDING = 1e-9;

/** Cost of a whole path, less the lower bounds of the tokens after each cell. */
function limitsOf({ codes, columns, costs, rows, pivots }: CostTable, whole: number): Limits {
  const leastOfRows = new Float64Array(codes.length / columns).fill(Number.POSITIVE_INFINITY);
  const leastOfColumns = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
  for (let row = 0, at = 0; row < leastOfRows.length; row++) {
    let least = Number.POSITIVE_INFINITY;
    for (let column = 0; column < columns; column++, at++) {
      const cost = costs[codes[at]!]!;
      if (cost < least) least = cost;
      if (cost < leastOfColumns[column]!) leastOfColumns[column] = cost;
    }
    leastOfRows[row] = least;
  }
  const limit = whole * (1 + ROUNDING);
  return {
    rows: limitsAlong(rows, leastOfRows, limit),
    pivots: limitsAlong(pivots, leastOfColumns, limit),
  };
}

function limitsAlong(tokens: Uint32Array, least: Float64Array, limit: number): Float64Array {
  const limits = new Float64Array(tokens.length);
  let left = limit;
  for (let at = tokens.length - 1; at >= 0; at--) {
    limits[at] = left;
    left -= least[tokens[at]!]!;
  }
  return limits;
}

/**
 * Computes the `moves` of the cells within the limits and at most `width` pivot tokens off the
 * diagonal. Returns the cost of the whole path.
 */
function sweep(
  { codes, columns, costs, rows, pivots }: CostTable,
  ties: TieOrder,
  moves: Uint8Array,
  width: number,
  limits: Limits | null,
): number {
  const [n, m] = [rows.length, pivots.length];
  const stride = Math.ceil(m / MOVES_A_BYTE);
  const sourceWinsTies = ties === "source first";
  const above = new Float64Array(m).fill(Number.POSITIVE_INFINITY);
  const pivotLimits = limits?.pivots ?? new Float64Array(m).fill(Number.POSITIVE_INFINITY);
  // Cells of the previous row from `first` to before `end` are within the limits.
  let [first, end] = [0, 0];
  for (let i = 0; i < n; i++) {
    const row = rows[i]! * columns;
    const rowLimit = limits ? limits.rows[i]! : Number.POSITIVE_INFINITY;
    const straight = Math.floor((i * m) / n);
    const start = Math.max(first, straight - width);
    const stop = Math.min(m, straight + width);
    const last = end; // the one whose diagonal is the last in reach
    let diagonal = i === 0 ? 0 : start > first ? above[start - 1]! : Number.POSITIVE_INFINITY;
    let left = Number.POSITIVE_INFINITY;
    let packed = 0;
    first = m;
    let j = start;
    for (; j < stop && (j <= last || left <= rowLimit); j++) {
      const up = above[j]!;
      const takesUp = up < left || (sourceWinsTies && up === left);
      const side = takesUp ? up : left;
      let best = diagonal;
      if (side < diagonal) {
        best = side;
        packed |= (takesUp ? SOURCE : PIVOT) << ((j & 3) * 2);
      }
      diagonal = up;
      left = costs[codes[row + pivots[j]!]!]! + best;
      if (left <= rowLimit && left <= pivotLimits[j]!) {
        if (first === m) first = j;
        end = j + 1;
      } else left = Number.POSITIVE_INFINITY;
      above[j] = left;
      if ((j & 3) === 3) {
        moves[i * stride + (j >> 2)] = packed;
        packed = 0;
      }
    }
    if ((j & 3) !== 0) moves[i * stride + (j >> 2)] = packed;
  }
  return above[m - 1]!;
}

/** Follows the moves back from the end and collects the source positions of each pivot position. */
function walkBack(moves: Uint8Array, n: number, m: number): Groups {
  const stride = Math.ceil(m / MOVES_A_BYTE);
  const offsets = new Uint32Array(m + 1);
  if (n === 0 || m === 0) return { offsets, positions: new Uint32Array(0) };
  const path = new Uint32Array(n + m - 1);
  let at = path.length;
  let [i, j] = [n - 1, m - 1];
  for (;;) {
    path[--at] = i;
    offsets[j + 1] = offsets[j + 1]! + 1;
    if (i === 0 && j === 0) break;
    const move = (moves[i * stride + (j >> 2)]! >> ((j & 3) * 2)) & 3;
    if (move !== PIVOT) i--;
    if (move !== SOURCE) j--;
  }
  for (let k = 0; k < m; k++) offsets[k + 1] = offsets[k + 1]! + offsets[k]!;
  return { offsets, positions: path.slice(at) };
}
