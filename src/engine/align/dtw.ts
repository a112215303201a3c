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

/**
 * Dynamic time warping: D[i][j] = c[i][j] + min(D[i-1][j-1], D[i-1][j], D[i][j-1]), summed in float64
 * in that order, since costs of 0.1 make ties a matter of rounding. Takes n·m steps and n·m / 4 bytes:
 * the way back is noted on the way there.
 */
export function warp(table: CostTable, ties: TieOrder): Warping {
  const { codes, columns, costs, rows, pivots } = table;
  const [n, m] = [rows.length, pivots.length];
  const stride = Math.ceil(m / MOVES_A_BYTE);
  const moves = new Uint8Array(n * stride);
  const above = new Float64Array(m).fill(Number.POSITIVE_INFINITY);
  const sourceWinsTies = ties === "source first";
  for (let i = 0; i < n; i++) {
    const row = rows[i]! * columns;
    let diagonal = i === 0 ? 0 : Number.POSITIVE_INFINITY;
    let left = Number.POSITIVE_INFINITY;
    let packed = 0;
    for (let j = 0; j < m; j++) {
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
      above[j] = left;
      if ((j & 3) === 3 || j === m - 1) {
        moves[i * stride + (j >> 2)] = packed;
        packed = 0;
      }
    }
  }
  const cost = n === 0 || m === 0 ? 0 : above[m - 1]!;
  return { groups: walkBack(moves, stride, n, m), cost };
}

/** Follows the moves from the end; the source positions met at a pivot's are its group. */
function walkBack(moves: Uint8Array, stride: number, n: number, m: number): Groups {
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
