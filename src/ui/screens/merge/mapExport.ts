import { formatCsvField, type WeightMap } from "../../../engine/contract/index.ts";
import type { GridCell } from "../../plots/gridLayout.ts";
import type { MapLayout, MapLegend } from "../../plots/mapLayout.ts";
import { resolveColour } from "../../theme/colours.ts";

/** The map as CSV (RFC 4180): one line per tensor, full precision, empty where not measured. */
export function mapToCsv({ models, cells }: WeightMap): string {
  const head = [
    "tensor",
    "layer",
    "column",
    "elements",
    "merged",
    "locked",
    ...models.map((name) => `share ${name}`),
    ...models.map((name) => `spread ${name}`),
    ...models.map((name) => `change ${name}`),
  ];
  const lines = cells.map((cell) => [
    cell.tensor,
    cell.layer,
    cell.column,
    cell.elementCount,
    String(cell.merged),
    String(cell.locked),
    ...models.map((_, index) => cell.shares?.[index] ?? null),
    ...models.map((_, index) => cell.spread?.[index] ?? null),
    ...models.map((_, index) => cell.change?.[index] ?? null),
  ]);
  return [head, ...lines].map((line) => line.map(formatCsvField).join(",")).join("\r\n");
}

const CELL_WIDTH = 64;
const CELL_HEIGHT = 34;
const HEAD_WIDTH = 84;
const HEAD_HEIGHT = 64;
const GROUP_GAP = 12;
/** Canvases beyond this are refused by some browsers. */
const TALLEST = 16_000;

/** Draws the map at twice its size on a canvas, in the colours of the present theme. */
export function drawMap(layout: MapLayout, legend: MapLegend, title: string): HTMLCanvasElement {
  const { columns, rows } = layout;
  const rowHeight = Math.max(2, Math.min(CELL_HEIGHT, (TALLEST / 2 - HEAD_HEIGHT) / rows.length));
  const gapsBefore = (column: number) =>
    columns.slice(0, column + 1).filter(({ gap }) => gap).length;
  const left = (column: number) =>
    HEAD_WIDTH + column * CELL_WIDTH + gapsBefore(column) * GROUP_GAP;
  const canvas = document.createElement("canvas");
  const width = left(columns.length - 1) + CELL_WIDTH + 16;
  const height = HEAD_HEIGHT + rows.length * rowHeight + 16;
  canvas.width = width * 2;
  canvas.height = height * 2;
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  pen.scale(2, 2);
  const ink = resolveColour("var(--ink)");
  const ink2 = resolveColour("var(--ink2)");
  pen.fillStyle = resolveColour("var(--bg)");
  pen.fillRect(0, 0, width, height);
  pen.textBaseline = "middle";
  pen.fillStyle = ink;
  pen.font = "600 14px 'Inter Variable', sans-serif";
  pen.fillText(title, 16, 18, width - 32);
  pen.font = "12px 'Inter Variable', sans-serif";
  let x = 16;
  const entries = legend.names.map((name, index) => [name, legend.colours[index] ?? ""] as const);
  const pieces = rows.flatMap(({ cells }) => cells.flatMap(({ segments }) => segments ?? []));
  const remains = pieces.some(({ colour }) => colour === legend.baseColour);
  const base = remains ? ([[legend.base ?? "", legend.baseColour]] as const) : [];
  for (const [name, colour] of [...entries, ...base]) {
    pen.fillStyle = resolveColour(colour);
    pen.fillRect(x, 33, 10, 10);
    pen.fillStyle = ink2;
    pen.fillText(name, x + 15, 38);
    x += 30 + pen.measureText(name).width;
  }
  pen.font = "11px 'JetBrains Mono Variable', monospace";
  pen.textAlign = "center";
  columns.forEach(({ heading }, index) => {
    pen.fillText(heading, left(index) + CELL_WIDTH / 2, HEAD_HEIGHT - 8, CELL_WIDTH);
  });
  rows.forEach((row, at) => {
    const y = HEAD_HEIGHT + at * rowHeight;
    pen.fillStyle = ink2;
    pen.textAlign = "right";
    pen.globalAlpha = 1;
    if (rowHeight >= 10)
      pen.fillText(row.heading, HEAD_WIDTH - 8, y + rowHeight / 2, HEAD_WIDTH - 16);
    for (const cell of row.cells) {
      const from = left(cell.column);
      const wide = left(cell.column + cell.span - 1) + CELL_WIDTH - from - 2;
      pen.globalAlpha = 1;
      pen.fillStyle = resolveColour(groundOf(cell, legend));
      pen.fillRect(from, y, wide, rowHeight - 2);
      for (const piece of cell.segments ?? []) {
        const px = from + piece.from * wide;
        const pw = (piece.to - piece.from) * wide;
        pen.globalAlpha = 0.4 + 0.6 * cell.strength;
        pen.fillStyle = resolveColour(piece.colour);
        pen.fillRect(px, y, pw, rowHeight - 2);
        if (piece.negative) hatch(pen, px, y, pw, rowHeight - 2, ink);
      }
      if (cell.locked) mark(pen, from + wide - 8, y + 8);
    }
  });
  return canvas;
}

function groundOf({ plain, segments }: GridCell, { baseColour }: MapLegend): string {
  if (plain) return baseColour;
  return segments === null ? "var(--track)" : "var(--bg)";
}

function hatch(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.beginPath();
  for (let at = -height; at < width; at += 6) {
    pen.moveTo(x + at, y + height);
    pen.lineTo(x + at + height, y);
  }
  pen.stroke();
  pen.restore();
}

function mark(pen: CanvasRenderingContext2D, x: number, y: number) {
  pen.globalAlpha = 1;
  pen.beginPath();
  pen.arc(x, y, 3.5, 0, 2 * Math.PI);
  pen.fillStyle = "#fff";
  pen.fill();
  pen.strokeStyle = "#000";
  pen.stroke();
}
