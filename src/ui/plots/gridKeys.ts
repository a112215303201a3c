interface KeyCell {
  readonly key: string;
  readonly column: number;
  readonly span: number;
}
export interface KeyRow {
  readonly cells: readonly KeyCell[];
}

/** Rows that Page Up and Page Down move. */
const PAGE = 10;

function cellAt(row: KeyRow | undefined, column: number): KeyCell | undefined {
  const over = row?.cells.find((cell) => column >= cell.column && column < cell.column + cell.span);
  if (over || !row) return over;
  return row.cells.reduce<KeyCell | undefined>(
    (best, cell) =>
      best && Math.abs(best.column - column) <= Math.abs(cell.column - column) ? best : cell,
    undefined,
  );
}

/** Cell that a key moves to; null for other keys. */
export function moveFocus(
  rows: readonly KeyRow[],
  present: string,
  key: string,
  whole: boolean,
): string | null {
  const y = rows.findIndex(({ cells }) => cells.some((cell) => cell.key === present));
  const row = rows[y];
  const x = row?.cells.findIndex((cell) => cell.key === present) ?? -1;
  const cell = row?.cells[x];
  if (!row || !cell) return null;
  const line = (index: number) =>
    cellAt(rows[Math.min(rows.length - 1, Math.max(0, index))], cell.column);
  const aim = {
    ArrowLeft: () => row.cells[x - 1],
    ArrowRight: () => row.cells[x + 1],
    ArrowUp: () => line(y - 1),
    ArrowDown: () => line(y + 1),
    PageUp: () => line(y - PAGE),
    PageDown: () => line(y + PAGE),
    Home: () => (whole ? rows[0] : row)?.cells[0],
    End: () => (whole ? rows.at(-1) : row)?.cells.at(-1),
  }[key];
  if (!aim) return null;
  return aim()?.key ?? present;
}
