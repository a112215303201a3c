import type { Groups } from "./types.ts";

/** What it costs to put each of n source tokens beside each of m pivot tokens. */
export interface CostTable {
  /** [distinct source strings, `columns`]: codes of costs. */
  readonly codes: Uint16Array;
  readonly columns: number;
  /** The cost of each code. */
  readonly costs: Float64Array;
  /** n entries: the table's row of each source token. */
  readonly rows: Uint32Array;
  /** m entries: the table's column of each pivot token. */
  readonly pivots: Uint32Array;
}

/** Of equal ways back the diagonal comes first; then one of these. */
export type TieOrder = "source first" | "pivot first";

export interface Warping {
  readonly groups: Groups;
  /** The sum along the path. */
  readonly cost: number;
}

/** Moves in two bits; 0 is one back on both sides. One source token back, on the same pivot token. */
const SOURCE = 1;
/** One pivot token back, on the same source token. */
const PIVOT = 2;
const MOVES_A_BYTE = 4;
/** Pivot tokens on either side of the straight way through which a first path is looked for. */
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

/** What a cell may cost: so much for being of a source token, and so much for being of a pivot's. */
interface Limits {
  readonly rows: Float64Array;
  readonly pivots: Float64Array;
}

/** Sums come in different orders, so that equal ones may differ by their rounding. */
const ROUNDING = 1e-9;

/** The cost of a whole path, less what the tokens after each take at least. */
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
 * Fills `moves` for the cells within the limits that are at most `width` pivot tokens off the straight
 * way. Returns the cost of the whole.
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
  // Of the cells in the row above, those from `first` to before `end` are within the limits.
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

/** Follows the moves from the end; the source positions met at a pivot's are its group. */
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
