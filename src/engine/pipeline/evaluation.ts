import {
  type DatasetId,
  EngineError,
  type ModelId,
  type ReportedModel,
} from "../contract/index.ts";
import { groupDomains } from "../evaluate/domains.ts";
import { makeDomainFigures, makeFigures } from "../evaluate/figures.ts";
import { type NamedRows, type PairScores, scorePair } from "../evaluate/scorePair.ts";
import { encodeRow } from "../evaluate/scoreRow.ts";
import type { FusionLibrary } from "../fuse/dataset/fusions.ts";
import { decodePlain, encodePlain, type RecordStore } from "../fuse/dataset/recordStore.ts";
import { nameDomain } from "../fuse/stages/fuseStagesDocuments.ts";
import { STUDIO } from "../merge/run/version.ts";
import type { LanguageParts } from "../runtime/language/generateText.ts";
import { hashPlain } from "../storage/hash.ts";
import type { DatasetLibrary } from "../text/datasets/datasetLibrary.ts";
import { type DatasetRow, readDataset } from "../text/datasets/datasets.ts";
import { bytesOfRow } from "../text/datasets/sampleRows.ts";

export interface EvaluationParts extends LanguageParts {
  readonly datasets: Pick<DatasetLibrary, "open">;
  readonly fusions: FusionLibrary;
  readonly records: RecordStore;
}

/** So many rows that would not fit any more end the search: a dataset may have millions. */
const MOST_TOO_LONG = 32;

/** What every model's figures are called by: all datasets together. */
const ALL = "all rows";

/**
 * Rows that no training has read, in turn from every dataset, until the pivot's tokens are enough.
 * `usage` where there are none: the fusion took every row.
 */
export async function chooseRows(
  parts: EvaluationParts,
  options: {
    readonly pivot: ModelId;
    readonly datasets: readonly DatasetId[];
    /** A fusion of the same datasets: what its documents are of has been read. */
    readonly fusion: string;
    readonly tokens: number;
    /** Column of the texts, as the fusion read them. */
    readonly textColumn: string | null;
    readonly signal: AbortSignal;
  },
): Promise<NamedRows> {
  const read = new Set<string>();
  for await (const { document } of parts.fusions.records(options.fusion)) {
    read.add(JSON.stringify([document.dataset, document.at]));
  }
  const checkpoint = await parts.library.open(options.pivot);
  const language = await parts.openText(checkpoint);
  const queues: AsyncGenerator<DatasetRow>[] = [];
  for (const id of options.datasets) {
    const { card, file, source } = await parts.datasets.open(id);
    const several = options.datasets.length > 1;
    const { textColumn } = options;
    const entries = readDataset(source, file, { textColumn });
    queues.push(unreadRows(entries, { dataset: card.name, several }, read));
  }
  const rows: DatasetRow[] = [];
  let tokens = 0;
  let tooLong = 0;
  while (queues.length > 0 && tokens < options.tokens && tooLong < MOST_TOO_LONG) {
    options.signal.throwIfAborted();
    const queue = queues.shift() as AsyncGenerator<DatasetRow>;
    const next = await queue.next();
    if (next.done) continue;
    queues.push(queue);
    const count = await countTokens(next.value, language);
    // A row that is longer than what is left would cost more than was asked for.
    if (count === 0) continue;
    if (rows.length > 0 && tokens + count > options.tokens) {
      tooLong += 1;
      continue;
    }
    rows.push(next.value);
    tokens += count;
  }
  if (rows.length > 0) return { name: ALL, rows };
  throw new EngineError(
    "usage",
    "Every row of the datasets is trained on: there is nothing left to evaluate with. Fuse fewer rows, or add a dataset.",
  );
}

async function countTokens(
  row: DatasetRow,
  language: Awaited<ReturnType<LanguageParts["openText"]>>,
): Promise<number> {
  try {
    const read = await encodeRow(row, language.tokenizer(), language.template);
    return read?.ids.length ?? 0;
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-config") return 0;
    throw error;
  }
}

/** Rows from the end of what was read on; `at` counts entries, as documents name them. */
async function* unreadRows(
  entries: ReturnType<typeof readDataset>,
  { dataset, several }: { readonly dataset: string; readonly several: boolean },
  read: ReadonlySet<string>,
): AsyncGenerator<DatasetRow> {
  for await (const found of entries) {
    const entry = several ? nameDomain(found, dataset) : found;
    if ("problem" in entry || read.has(JSON.stringify([dataset, entry.at]))) continue;
    yield entry.row;
  }
}

/** A model as the report names it, before it is scored. */
export type ModelToScore = Pick<ReportedModel, "name" | "role" | "about"> & {
  readonly id: ModelId;
};

/**
 * Scores every model on the rows, and goes on after those that `state` has. What another pipeline, or
 * an earlier one of other merges, scored on the same rows is taken as it is.
 */
export async function scoreModels(
  parts: EvaluationParts,
  models: readonly ModelToScore[],
  rows: NamedRows,
  options: {
    readonly state: Readonly<Record<string, PairScores>>;
    readonly signal: AbortSignal;
    save(state: Readonly<Record<string, PairScores>>): Promise<void>;
    progress(fraction: number, label: string): void;
  },
): Promise<Readonly<Record<string, PairScores>>> {
  const { signal } = options;
  const bytes = rows.rows.reduce((sum, row) => sum + bytesOfRow(row), 0);
  const asked = await hashPlain(rows.rows);
  let state = options.state;
  for (const [i, { id }] of models.entries()) {
    if (state[id]) continue;
    const progress = (done: number, label: string) =>
      options.progress((i + done / Math.max(1, bytes)) / models.length, label);
    const folder = `scores/${await hashPlain([STUDIO.version, id, asked])}`;
    const [kept] = await parts.records.read(folder, 0, 1);
    const scores = kept
      ? decodePlain<PairScores>(kept)
      : await scorePair(id, rows, parts, { signal, progress });
    if (!kept) await parts.records.append(folder, [encodePlain(scores)]);
    state = { ...state, [id]: scores };
    await options.save(state);
  }
  return state;
}

/** The report's table: the first model is the pivot. */
export function reportModels(
  models: readonly ModelToScore[],
  rows: NamedRows,
  scores: Readonly<Record<string, PairScores>>,
): readonly ReportedModel[] {
  const groups = groupDomains(rows.rows.map(({ domain }) => domain));
  const of = (model: ModelToScore) => (scores[model.id] as PairScores).scores;
  const [pivot] = models;
  const plain = models.find(({ role }) => role === "plain");
  return models.map((model) => {
    const reference = pivot && model !== pivot ? of(pivot) : null;
    const domains = makeDomainFigures(groups, of(model), reference);
    const figures = makeFigures(of(model), reference);
    const toPlain = plain && model !== plain ? makeFigures(of(model), of(plain)).difference : null;
    const { name, role, about } = model;
    const cell = { model: name, dataset: rows.name, ...figures };
    return { name, role, about, cell: domains.length > 0 ? { ...cell, domains } : cell, toPlain };
  });
}
