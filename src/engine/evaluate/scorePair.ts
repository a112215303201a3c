import { EngineError, type ModelId } from "../contract/index.ts";
import type { JobContext } from "../core/jobs/kind.ts";
import { findRunnable } from "../runtime/language/findRunnable.ts";
import type { LanguageParts } from "../runtime/language/generateText.ts";
import type { DatasetRow } from "../text/datasets/datasets.ts";
import { bytesOfRow } from "../text/datasets/sampleRows.ts";
import type { ScoredPair } from "./cells.ts";
import { type ReadableRow, scoreRow, tryEncodeRow, windowOf } from "./scoreRow.ts";
import type { Score } from "./statistics.ts";

/** Rows of one dataset, the same for every model. */
export interface NamedRows {
  readonly name: string;
  readonly rows: readonly DatasetRow[];
}

/** A model's scores, row by row, with the rows that it could not score. */
export interface PairScores extends ScoredPair {
  readonly notes: readonly string[];
}

const NOT_SCORED: Score = { nats: 0, tokens: 0, bytes: 0 };

/** Scores every row of a dataset with one model of the library. */
export async function scorePair(
  id: ModelId,
  dataset: NamedRows,
  { library, modelCache, openText }: LanguageParts,
  {
    signal,
    progress,
  }: Pick<JobContext<never>, "signal"> & {
    progress(doneBytes: number, label: string): void;
  },
): Promise<PairScores> {
  const [{ name }, checkpoint] = await Promise.all([library.card(id), library.open(id)]);
  const language = await openText(checkpoint);
  const tokenizer = language.tokenizer();
  const { contextLength } = findRunnable(checkpoint);
  const left: LeftOut = { chats: 0, empty: 0, refused: 0, refusal: null, nonfinite: 0 };
  const scores: Score[] = [];
  const onLoading = (_done: number, _total: number, label: string) =>
    progress(0, `Loading ${name}: ${label}`);
  const options = { tokens: windowOf(contextLength), signal, onLoading };
  await modelCache.use(id, options, async ({ gpu, model }) => {
    let done = 0;
    for (const [i, row] of dataset.rows.entries()) {
      progress(done, `${name} on ${dataset.name}: row ${i + 1} of ${dataset.rows.length}`);
      scores.push(await scoreOne(row, (each) => scoreRow(gpu, model, each, { signal })));
      done += bytesOfRow(row);
    }
    progress(done, `${name} on ${dataset.name}`);
  });
  return { model: name, dataset: dataset.name, scores, notes: notesOn(left, name, dataset.name) };

  async function scoreOne(
    row: DatasetRow,
    score: (row: ReadableRow) => Promise<Score>,
  ): Promise<Score> {
    if (row.kind === "chat" && !language.template) {
      left.chats += 1;
      return NOT_SCORED;
    }
    const readable = await tryEncodeRow(row, tokenizer, language.template);
    if (readable === null) {
      left.empty += 1;
      return NOT_SCORED;
    }
    if (readable instanceof EngineError) {
      left.refused += 1;
      left.refusal ??= readable.message;
      return NOT_SCORED;
    }
    const found = await score(readable);
    if (Number.isFinite(found.nats)) return found;
    left.nonfinite += 1;
    return NOT_SCORED;
  }
}

/** Rows that were not scored, and the first refusal of a template. */
interface LeftOut {
  chats: number;
  empty: number;
  refused: number;
  refusal: string | null;
  nonfinite: number;
}

function notesOn(left: LeftOut, model: string, dataset: string): readonly string[] {
  const about = `${model} on ${dataset}:`;
  const notes: readonly (readonly [number, string])[] = [
    [left.chats, "chats were left out, because the model has no chat template"],
    [left.empty, "rows have nothing to predict and were left out"],
    [left.nonfinite, "rows gave no finite number and were left out"],
  ];
  const told = notes.filter(([count]) => count > 0);
  return [
    ...told.map(([count, what]) => `${about} ${count} ${what}.`),
    ...(left.refused > 0
      ? [`${about} ${left.refused} rows were left out. The first: ${left.refusal}`]
      : []),
  ];
}
