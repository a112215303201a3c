import type { Segment } from "./segments.ts";

export interface GridCell {
  readonly key: string;
  /** Index of the first column, from 0, and the number of columns. */
  readonly column: number;
  readonly span: number;
  /** Segments; null while unmeasured. */
  readonly segments: readonly Segment[] | null;
  /** Colour saturation, from 0 to 1. */
  readonly strength: number;
  readonly label: string;
  readonly locked: boolean;
  readonly plain: boolean;
}

export interface GridRow {
  readonly key: string;
  readonly heading: string;
  readonly cells: readonly GridCell[];
}

export interface GridColumn {
  readonly key: string;
  readonly heading: string;
  /** Whether a gap before the column separates its group. */
  readonly gap: boolean;
}

const GAP = "9px";

/** Columns as CSS grid tracks, headings first. */
export function tracks(columns: readonly GridColumn[]): string {
  const widths = columns.map(({ gap }) => `${gap ? `${GAP} ` : ""}minmax(24px, 1fr)`);
  return `var(--grid-head, 58px) ${widths.join(" ")}`;
}

/**
 * CSS grid line where a column starts: line 1 is the heading's, and gaps are tracks of their own.
 */
export function line(columns: readonly GridColumn[], column: number): number {
  return column + 2 + columns.slice(0, column + 1).filter(({ gap }) => gap).length;
}
