import { EngineError } from "../contract/index.ts";
import type { JobContext, JobKind, RequestOf } from "../jobs/kind.ts";
import type { DatasetLibrary, StoredDataset } from "../model/datasets.ts";
import type { DatasetRow } from "../text/datasets.ts";
import { makeCells, type ScoredPair } from "./cells.ts";
import { groupDomains } from "./domains.ts";
import type { LanguageParts } from "./generateText.ts";
import { findRunnable } from "./runnable.ts";
import { bytesOfRow, sampleRows } from "./sampleRows.ts";
import { encodeRow, scoreRow, windowOf } from "./scoreRow.ts";
import type { Score } from "./statistics.ts";

/** Their scores are journalled, and written again with every step. */
const MOST_ROWS = 10_000;
const MOST_PAIRS = 1024;
const NOT_SCORED: Score = { nats: 0, tokens: 0, bytes: 0 };

interface PairState extends ScoredPair {
  readonly notes: readonly string[];
}

/** What is done, by model and dataset. */
type EvaluateState = Readonly<Record<string, PairState>>;

interface LoadedDataset {
  readonly name: string;
  readonly rows: readonly DatasetRow[];
  readonly bytes: number;
}

const keyOf = (model: string, dataset: string) => `${model} ${dataset}`;

/** Job kind `evaluate`: every model on the same rows of every dataset; a pair is done once. */
export function createEvaluateKind(
  parts: LanguageParts & { readonly datasets: DatasetLibrary },
): JobKind<"evaluate", EvaluateState> {
  return {
    kind: "evaluate",
    resource: "gpu",
    async prepare(request) {
      const { models, datasets, rows } = checkRequest(request);
      const stored = await Promise.all(datasets.map((id) => parts.datasets.open(id)));
      for (const id of models) {
        const checkpoint = await parts.library.open(id);
        findRunnable(checkpoint);
        (await parts.openText(checkpoint)).tokenizer();
      }
      const bytes = stored.reduce((sum, dataset) => sum + sampledBytes(dataset, rows), 0);
      const what = datasets.length === 1 ? stored[0]?.card.name : `${datasets.length} datasets`;
      return {
        title: `Evaluate ${models.length} models on ${what}`.replace("1 models", "1 model"),
        ...{ recipe: null, durable: true, totalBytes: Math.round(bytes * models.length) },
      };
    },
    async run(request, context) {
      const { models, datasets, rows } = checkRequest(request);
      const { signal, save } = context;
      const loaded = new Map<string, LoadedDataset>();
      const notes: string[] = [];
      for (const id of datasets) {
        const stored = await parts.datasets.open(id);
        const some = await sampleRows(stored, rows, signal);
        const bytes = some.reduce((sum, row) => sum + bytesOfRow(row), 0);
        loaded.set(id, { name: stored.card.name, rows: some, bytes });
        if (some.length < stored.card.rows) {
          notes.push(
            `${stored.card.name}: ${some.length} of ${stored.card.rows} rows, drawn at random, the same for every model.`,
          );
        }
      }
      const perModel = [...loaded.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      const totalBytes = perModel * models.length;
      let state: EvaluateState = context.state ?? {};
      let before = 0;
      for (const model of models) {
        for (const [id, dataset] of loaded) {
          const key = keyOf(model, id);
          if (!state[key]) {
            const progress = (doneBytes: number, label: string) =>
              context.progress({ doneBytes: before + doneBytes, totalBytes, label });
            const pair = await scorePair(model, dataset, parts, { signal, progress });
            state = { ...state, [key]: pair };
            await save(state);
          }
          before += dataset.bytes;
        }
      }
      const pairs = models.flatMap((model) =>
        datasets.flatMap((id) => state[keyOf(model, id)] ?? []),
      );
      notes.push(...pairs.flatMap((pair) => pair.notes));
      const groups = new Map(
        [...loaded.values()].map(({ name, rows }) => [
          name,
          groupDomains(rows.map(({ domain }) => domain)),
        ]),
      );
      return { models: [], downloads: [], notes, evaluation: makeCells(pairs, groups) };
    },
  };
}

/** Refuses what cannot be run; names each model and dataset once. */
function checkRequest(request: RequestOf<"evaluate">) {
  const models = [...new Set(request.models)];
  const datasets = [...new Set(request.datasets)];
  const { rows } = request;
  if (models.length === 0 || datasets.length === 0) {
    throw new EngineError("usage", "An evaluation needs at least one model and one dataset.");
  }
  if (models.length * datasets.length > MOST_PAIRS) {
    const message = `${models.length} models on ${datasets.length} datasets are more than ${MOST_PAIRS} pairs. Choose fewer.`;
    throw new EngineError("usage", message, { pairs: models.length * datasets.length });
  }
  if (!(Number.isInteger(rows) && rows >= 1 && rows <= MOST_ROWS)) {
    const message = `${rows} rows cannot be drawn; it must be a whole number from 1 to ${MOST_ROWS}.`;
    throw new EngineError("usage", message, { rows });
  }
  return { models, datasets, rows };
}

/** Bytes that some rows have, as far as the file's length tells it. */
function sampledBytes({ card }: StoredDataset, rows: number): number {
  return card.byteLength * Math.min(1, rows / Math.max(1, card.rows));
}

/** Reads every row of a dataset with one model. */
async function scorePair(
  id: string,
  dataset: LoadedDataset,
  { library, shelf, openText }: LanguageParts,
  {
    signal,
    progress,
  }: Pick<JobContext<never>, "signal"> & {
    progress(doneBytes: number, label: string): void;
  },
): Promise<PairState> {
  const [{ name }, checkpoint] = await Promise.all([library.card(id), library.open(id)]);
  const language = await openText(checkpoint);
  const tokenizer = language.tokenizer();
  const { contextLength } = findRunnable(checkpoint);
  const left = { chats: 0, empty: 0, refused: 0, nonfinite: 0 };
  const scores: Score[] = [];
  const onLoading = (_done: number, _total: number, label: string) =>
    progress(0, `Loading ${name}: ${label}`);
  const options = { tokens: windowOf(contextLength), signal, onLoading };
  await shelf.use(id, options, async ({ gpu, model }) => {
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
    score: (row: NonNullable<ReturnType<typeof encodeRow>>) => Promise<Score>,
  ): Promise<Score> {
    if (row.kind === "chat" && !language.template) {
      left.chats += 1;
      return NOT_SCORED;
    }
    const readable = refusing(() => encodeRow(row, tokenizer, language.template));
    if (!readable) {
      left[readable === null ? "empty" : "refused"] += 1;
      return NOT_SCORED;
    }
    const found = await score(readable);
    if (Number.isFinite(found.nats)) return found;
    left.nonfinite += 1;
    return NOT_SCORED;
  }
}

/** Undefined where a template refuses a chat, as some do two turns of one role. */
function refusing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-config") return undefined;
    throw error;
  }
}

function notesOn(
  left: Readonly<Record<"chats" | "empty" | "refused" | "nonfinite", number>>,
  model: string,
  dataset: string,
): readonly string[] {
  const about = `${model} on ${dataset}:`;
  const notes: readonly (readonly [number, string])[] = [
    [left.chats, "chats were left out, because the model has no chat template"],
    [left.empty, "rows have nothing to predict and were left out"],
    [
      left.refused,
      "rows were left out, because the model's template or tokenizer does not take them",
    ],
    [left.nonfinite, "rows gave no finite number and were left out"],
  ];
  return notes.filter(([count]) => count > 0).map(([count, what]) => `${about} ${count} ${what}.`);
}
