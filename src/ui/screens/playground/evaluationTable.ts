import type { EvaluationCell } from "../../../engine/contract/index.ts";

type Interval = readonly [low: number, high: number];

export interface EvaluationTable {
  readonly datasets: readonly string[];
  /** In the order in which they were evaluated: the first is what the others are compared with. */
  readonly models: readonly string[];
  readonly cell: (model: string, dataset: string) => EvaluationCell | undefined;
}

export interface TableOrder {
  /** Null: as evaluated. */
  readonly dataset: string | null;
  readonly descending: boolean;
}

/** The cells of an evaluation by model and dataset. */
export function tabulate(cells: readonly EvaluationCell[]): EvaluationTable {
  const byPlace = new Map(cells.map((cell) => [JSON.stringify([cell.model, cell.dataset]), cell]));
  return {
    datasets: [...new Set(cells.map(({ dataset }) => dataset))],
    models: [...new Set(cells.map(({ model }) => model))],
    cell: (model, dataset) => byPlace.get(JSON.stringify([model, dataset])),
  };
}

/** The models by their bits per byte on a dataset; those without a number come last. */
export function orderModels(table: EvaluationTable, order: TableOrder): readonly string[] {
  const { dataset, descending } = order;
  if (dataset === null) return table.models;
  const value = (model: string) => table.cell(model, dataset)?.bitsPerByte ?? null;
  return table.models.toSorted((a, b) => {
    const x = value(a);
    const y = value(b);
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return descending ? y - x : x - y;
  });
}

/** What a press on a column's heading leads to: upwards, downwards, as evaluated. */
export function nextOrder(order: TableOrder, dataset: string): TableOrder {
  if (order.dataset !== dataset) return { dataset, descending: false };
  return order.descending ? { dataset: null, descending: false } : { dataset, descending: true };
}

/** A difference as words: fewer bits per byte are better, an interval with zero in it tells nothing. */
export function judge([low, high]: Interval): "better" | "worse" | "no clear difference" {
  if (high < 0) return "better";
  return low > 0 ? "worse" : "no clear difference";
}

/** Half the width of an interval: what stands after ±. */
export function halfWidth(interval: Interval | null): number | null {
  return interval && (interval[1] - interval[0]) / 2;
}

/** Spreadsheets run what begins like a formula, so such names get an apostrophe in front. */
function quote(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const COLUMNS = [
  "model",
  "dataset",
  "rows",
  "tokens",
  "bytes",
  "nats_per_token",
  "bits_per_byte",
  "bits_per_byte_low",
  "bits_per_byte_high",
  "difference",
  "difference_low",
  "difference_high",
] as const;

/** All numbers of an evaluation in full precision, as RFC 4180 has it. */
export function toCsv(cells: readonly EvaluationCell[]): string {
  const lines = cells.map((cell) => [
    quote(cell.model),
    quote(cell.dataset),
    ...[cell.rows, cell.tokens, cell.bytes, cell.natsPerToken, cell.bitsPerByte],
    ...(cell.interval ?? [null, null]),
    ...(cell.difference ? [cell.difference.mean, ...cell.difference.interval] : [null, null, null]),
  ]);
  return [COLUMNS, ...lines]
    .map((line) => `${line.map((one) => one ?? "").join(",")}\r\n`)
    .join("");
}
