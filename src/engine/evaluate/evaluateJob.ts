import { EngineError } from "../contract/index.ts";
import type { JobKind, RequestOf } from "../core/jobs/kind.ts";
import { findRunnable } from "../runtime/language/findRunnable.ts";
import type { LanguageParts } from "../runtime/language/generateText.ts";
import type { DatasetLibrary, StoredDataset } from "../text/datasets/datasetLibrary.ts";
import { bytesOfRow, sampleRows } from "../text/datasets/sampleRows.ts";
import { systemIntoUser } from "../text/datasets/systemRole.ts";
import { makeCells } from "./cells.ts";
import { groupDomains } from "./domains.ts";
import { type NamedRows, type PairScores, scorePair } from "./scorePair.ts";

/** Largest number of rows: their scores are journalled again with every step. */
const MOST_ROWS = 10_000;
const MOST_PAIRS = 1024;

/** Finished scores, by model and dataset. */
type EvaluateState = Readonly<Record<string, PairScores>>;

interface LoadedDataset extends NamedRows {
  readonly bytes: number;
}

const keyOf = (model: string, dataset: string) => `${model} ${dataset}`;

/** Job kind `evaluate`: scores every model on the same rows of every dataset, each pair once. */
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
        recipe: null,
        durable: true,
        totalBytes: Math.round(bytes * models.length),
      };
    },
    async run(request, context) {
      const { models, datasets, rows } = checkRequest(request);
      const { signal, save } = context;
      const loaded = new Map<string, LoadedDataset>();
      const notes: string[] = [];
      for (const id of datasets) {
        const stored = await parts.datasets.open(id);
        const drawn = await sampleRows(stored, rows, signal);
        const some = request.systemIntoUser ? drawn.map(systemIntoUser) : drawn;
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

/** Checks a request, and removes repeated models and datasets. */
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

/** Estimated bytes of some rows, from the file's length. */
function sampledBytes({ card }: StoredDataset, rows: number): number {
  return card.byteLength * Math.min(1, rows / Math.max(1, card.rows));
}
