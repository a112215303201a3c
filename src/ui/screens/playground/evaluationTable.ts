import {
  type EvaluationCell,
  type EvaluationDomain,
  type EvaluationFigures,
  formatCsvField,
  nameDomain,
} from "../../../engine/contract/index.ts";

type Interval = readonly [low: number, high: number];

export interface EvaluationTable {
  readonly datasets: readonly string[];
  /** Models in the order of evaluation; the first is the reference. */
  readonly models: readonly string[];
  readonly cell: (model: string, dataset: string) => EvaluationCell | undefined;
}

export interface TableOrder {
  /** Dataset to sort by; null: order of evaluation. */
  readonly dataset: string | null;
  readonly descending: boolean;
}

/** Cells of an evaluation by model and dataset. */
export function tabulate(cells: readonly EvaluationCell[]): EvaluationTable {
  const byPlace = new Map(cells.map((cell) => [JSON.stringify([cell.model, cell.dataset]), cell]));
  return {
    datasets: [...new Set(cells.map(({ dataset }) => dataset))],
    models: [...new Set(cells.map(({ model }) => model))],
    cell: (model, dataset) => byPlace.get(JSON.stringify([model, dataset])),
  };
}

/** Cells of each dataset that has several domains. */
export function cellsWithDomains(
  cells: readonly EvaluationCell[],
): readonly (readonly EvaluationCell[])[] {
  const datasets = new Set(cells.filter(({ domains }) => domains).map(({ dataset }) => dataset));
  return [...datasets].map((dataset) => cells.filter((cell) => cell.dataset === dataset));
}

/** Domains of one dataset, in the engine's order, with every model's figures. */
export function tabulateDomains(cells: readonly EvaluationCell[]): {
  readonly models: readonly string[];
  /** Number of named domains, those counted together included. */
  readonly count: number;
  readonly domains: readonly {
    readonly domain: EvaluationDomain;
    /** Rows of the domain: the most that any model scored. */
    readonly rows: number;
    readonly figures: readonly (EvaluationFigures | undefined)[];
  }[];
} {
  const domains = cells[0]?.domains ?? [];
  return {
    models: cells.map(({ model }) => model),
    count: domains.reduce((sum, { domain }) => sum + countOf(domain), 0),
    domains: domains.map(({ domain }, i) => {
      const figures = cells.map((cell) => cell.domains?.[i]);
      return { domain, figures, rows: Math.max(...figures.map((one) => one?.rows ?? 0)) };
    }),
  };
}

function countOf(domain: EvaluationDomain): number {
  return domain.kind === "others" ? domain.count : domain.kind === "named" ? 1 : 0;
}

/** Models ordered by bits per byte on a dataset; those without a score come last. */
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

/** Next order when a column's heading is pressed: ascending, descending, as evaluated. */
export function nextOrder(order: TableOrder, dataset: string): TableOrder {
  if (order.dataset !== dataset) return { dataset, descending: false };
  return order.descending ? { dataset: null, descending: false } : { dataset, descending: true };
}

/**
 * Verdict on a difference: fewer bits per byte are better; an interval that contains 0 is
 * undecided.
 */
export function judge(
  interval: Interval | null,
): "better" | "worse" | "no clear difference" | "too few rows" {
  if (!interval) return "too few rows";
  const [low, high] = interval;
  if (high < 0) return "better";
  return low > 0 ? "worse" : "no clear difference";
}

/** Half-width of an interval, shown after ±. */
export function halfWidth(interval: Interval | null): number | null {
  return interval && (interval[1] - interval[0]) / 2;
}

const COLUMNS = [
  "model",
  "dataset",
  "domain",
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

function numbersOf(figures: EvaluationFigures): readonly (number | null)[] {
  const { rows, tokens, bytes, natsPerToken, bitsPerByte, interval, difference } = figures;
  return [
    rows,
    tokens,
    bytes,
    natsPerToken,
    bitsPerByte,
    ...(interval ?? [null, null]),
    difference?.mean ?? null,
    ...(difference?.interval ?? [null, null]),
  ];
}

/**
 * Evaluation as CSV (RFC 4180), in full precision: each dataset as a whole, with an empty domain,
 * then by domain.
 */
export function toCsv(cells: readonly EvaluationCell[]): string {
  const lines = cells.flatMap(({ model, dataset, domains = [], ...whole }) => [
    [formatCsvField(model), formatCsvField(dataset), "", ...numbersOf(whole)],
    ...domains.map(({ domain, ...figures }) => [
      formatCsvField(model),
      formatCsvField(dataset),
      formatCsvField(nameDomain(domain)),
      ...numbersOf(figures),
    ]),
  ]);
  return [COLUMNS, ...lines]
    .map((line) => `${line.map((one) => one ?? "").join(",")}\r\n`)
    .join("");
}
