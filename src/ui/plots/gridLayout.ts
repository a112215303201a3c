import type { Segment } from "./segments.ts";

export interface GridCell {
  readonly key: string;
  /** Place among the columns, from 0, and how many it spans. */
  readonly column: number;
  readonly span: number;
  /** Null while nothing is known. */
  readonly segments: readonly Segment[] | null;
  /** 0 to 1: how strongly the colours stand out. */
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
  /** A gap before it sets its group apart. */
  readonly gap: boolean;
}

const GAP = "9px";

/** The columns as CSS tracks, headings first. */
export function tracks(columns: readonly GridColumn[]): string {
  const widths = columns.map(({ gap }) => `${gap ? `${GAP} ` : ""}minmax(24px, 1fr)`);
  return `var(--grid-head, 58px) ${widths.join(" ")}`;
}

/** The CSS grid line at which a column starts: line 1 is the heading's, gaps take a track each. */
export function line(columns: readonly GridColumn[], column: number): number {
  return column + 2 + columns.slice(0, column + 1).filter(({ gap }) => gap).length;
}
