import type { WeightCell, WeightMap } from "../../engine/contract/index.ts";
import { formatPercent, formatShare } from "../theme/format.ts";
import type { GridCell, GridColumn, GridRow } from "./gridLayout.ts";
import { stackShares } from "./segments.ts";

/** Groups of columns, left to right. */
const GROUPS = ["attention", "mlp", "norm", "other", "embedding", "head"] as const;

/** Names and colours of a map's models. */
export interface MapLegend {
  /** Names in the order of `WeightMap.models`. */
  readonly names: readonly string[];
  readonly colours: readonly string[];
  /** Name of the base; null where the recipe has none. */
  readonly base: string | null;
  readonly baseColour: string;
}

/** Column order within a group, after the forward pass; others keep the files' order. */
const HEADINGS = ["q", "k", "v", "qkv", "o", "gate", "up", "down"];

export interface MapLayout {
  readonly columns: readonly GridColumn[];
  readonly rows: readonly GridRow[];
}

/** Place in words: `Layer 3 · gate`. */
export function placeName({ layer, column }: WeightCell): string {
  return layer === null ? column : `Layer ${layer} · ${column}`;
}

/** Root mean square, over the models, of a tensor's relative change. */
function changeOf({ change }: WeightCell): number | null {
  if (!change || change.length === 0) return null;
  return Math.sqrt(change.reduce((sum, value) => sum + value * value, 0) / change.length);
}

/** Description of a cell for screen readers. */
export function describeCell(cell: WeightCell, { names, base }: MapLegend): string {
  const place = placeName(cell);
  if (!cell.merged) return `${place}: copied, not merged`;
  if (!cell.shares) return `${place}: not measured yet`;
  const shares = cell.shares.map((share, index) => `${names[index]} ${formatShare(share)}`);
  const rest = base === null ? 0 : 1 - cell.shares.reduce((sum, share) => sum + share, 0);
  if (Math.abs(rest) > 5e-4) shares.push(`${base} ${formatShare(rest)}`);
  const change = changeOf(cell);
  const changed = change === null ? "" : `; changed by ${formatPercent(change)}`;
  return `${place}: ${shares.join(", ")}${changed}${cell.locked ? "; locked" : ""}`;
}

/** Column key of every tensor; equal headings in a layer get a number. */
function columnKeys(cells: readonly WeightCell[]): ReadonlyMap<WeightCell, string> {
  const seen = new Map<string, number>();
  const keys = new Map<WeightCell, string>();
  for (const cell of cells) {
    const place = `${cell.layer}|${cell.group}|${cell.column}`;
    const count = seen.get(place) ?? 0;
    seen.set(place, count + 1);
    keys.set(cell, `${cell.group}|${cell.column}|${count}`);
  }
  return keys;
}

/**
 * Layout of the map, layers × columns. Columns are ordered by group, then as in the first layer;
 * tensors outside the stack become wide rows: embeddings above it, others below.
 */
export function layoutMap(map: WeightMap, legend: MapLegend): MapLayout {
  const inside = map.cells.filter(({ layer }) => layer !== null);
  const keys = columnKeys(inside);
  const order = new Map<string, WeightCell>();
  for (const cell of inside) {
    const key = keys.get(cell) ?? "";
    if (!order.has(key)) order.set(key, cell);
  }
  const rank = ({ column }: WeightCell) => {
    const place = HEADINGS.indexOf(column);
    return place < 0 ? HEADINGS.length : place;
  };
  const sorted = [...order].sort(
    ([, a], [, b]) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || rank(a) - rank(b),
  );
  const columns: readonly GridColumn[] = sorted.map(([key, { column, group }], index) => ({
    key,
    heading: column,
    gap: index > 0 && sorted[index - 1]?.[1].group !== group,
  }));
  const index = new Map(columns.map(({ key }, at) => [key, at]));
  const strongest = map.cells.reduce((most, cell) => Math.max(most, changeOf(cell) ?? 0), 0);
  const draw = (cell: WeightCell, column: number, span: number): GridCell => {
    const change = changeOf(cell);
    return {
      key: cell.tensor,
      column,
      span,
      segments: cell.merged ? cell.shares && segmentsOf(cell.shares, legend) : [],
      strength: change === null || strongest === 0 ? 1 : Math.sqrt(change / strongest),
      label: describeCell(cell, legend),
      locked: cell.locked,
      plain: !cell.merged,
    };
  };
  const width = Math.max(1, columns.length);
  const wide = (cell: WeightCell): GridRow => ({
    key: cell.tensor,
    heading: cell.column,
    cells: [draw(cell, 0, width)],
  });
  const layers = new Map<number, GridCell[]>();
  for (const cell of inside) {
    const row = layers.get(cell.layer ?? 0) ?? [];
    row.push(draw(cell, index.get(keys.get(cell) ?? "") ?? 0, 1));
    layers.set(cell.layer ?? 0, row);
  }
  const stack = [...layers]
    .sort(([a], [b]) => a - b)
    .map(([layer, cells]) => ({
      key: `layer ${layer}`,
      heading: String(layer),
      cells: cells.sort((a, b) => a.column - b.column),
    }));
  const outside = map.cells.filter(({ layer }) => layer === null);
  const above = outside.filter(({ group }) => group === "embedding").map(wide);
  const below = outside.filter(({ group }) => group !== "embedding").map(wide);
  const noStack: readonly GridColumn[] = [{ key: "tensor", heading: "tensor", gap: false }];
  return {
    columns: columns.length > 0 ? columns : noStack,
    rows: [...above, ...stack, ...below],
  };
}

/** Segments of one cell's shares, the base's last. */
function segmentsOf(shares: readonly number[], legend: MapLegend) {
  return stackShares(shares, legend.colours, legend.base === null ? null : legend.baseColour);
}
