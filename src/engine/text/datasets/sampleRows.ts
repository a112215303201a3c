import { EngineError } from "../../contract/index.ts";
import { utf8Bytes } from "../../core/bytes.ts";
import { createRandom } from "../../core/random.ts";
import type { StoredDataset } from "./datasetLibrary.ts";
import { type DatasetRow, readDataset } from "./datasets.ts";

/** Seed of the drawn rows: the same for every model and machine. */
const SEED = 1;
/** Largest number of characters held in memory for one dataset. */
const MOST_CHARS = 2 ** 27;

/**
 * Indices of `count` rows drawn from `total`, ascending, all sets equally likely (Knuth's algorithm
 * S).
 */
export function drawRows(total: number, count: number, seed: number): ReadonlySet<number> {
  const random = createRandom(seed);
  const drawn = new Set<number>();
  for (let row = 0; row < total && drawn.size < count; row++) {
    if (random() * (total - row) < count - drawn.size) drawn.add(row);
  }
  return drawn;
}

/** Rows of a dataset that can be read when its texts are in a column of the user's choice. */
export async function countRows(
  { card, file, source }: StoredDataset,
  textColumn: string | null,
  signal: AbortSignal,
): Promise<number> {
  if (textColumn === null) return card.rows;
  let count = 0;
  for await (const entry of readDataset(source, file, { textColumn })) {
    signal.throwIfAborted();
    if ("row" in entry) count++;
  }
  return count;
}

/** At most `count` rows of a dataset, in order; `usage` where it has none that can be read. */
export async function sampleRows(
  { card, file, source }: StoredDataset,
  count: number,
  signal: AbortSignal,
): Promise<readonly DatasetRow[]> {
  if (card.rows === 0) {
    const message = `${card.name} has no row that can be read. ${card.problems[0] ?? ""}`;
    throw new EngineError("usage", message, { dataset: card.name });
  }
  const drawn = drawRows(card.rows, count, SEED);
  const rows: DatasetRow[] = [];
  let place = 0;
  let chars = 0;
  for await (const entry of readDataset(source, file)) {
    signal.throwIfAborted();
    if ("problem" in entry || !drawn.has(place++)) continue;
    chars += charsOf(entry.row);
    if (chars > MOST_CHARS) {
      throw new EngineError(
        "usage",
        `${count} rows of ${card.name} are more than ${MOST_CHARS} characters, too many to hold. Ask for fewer rows.`,
        { dataset: card.name, rows: count, limit: MOST_CHARS },
      );
    }
    rows.push(entry.row);
    if (rows.length === drawn.size) break;
  }
  return rows;
}

const textsOf = (row: DatasetRow) =>
  row.kind === "text" ? [row.text] : row.messages.map(({ content }) => content);

const charsOf = (row: DatasetRow) => textsOf(row).reduce((sum, { length }) => sum + length, 0);

/** UTF-8 bytes of a row's texts, a measure of its work. */
export function bytesOfRow(row: DatasetRow): number {
  return textsOf(row).reduce((sum, text) => sum + utf8Bytes(text), 0);
}
