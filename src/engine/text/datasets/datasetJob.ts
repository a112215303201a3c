import { EngineError } from "../../contract/index.ts";
import { watchInputs } from "../../core/inputs.ts";
import type { JobKind, RequestOf } from "../../core/jobs/kind.ts";
import { clip } from "../../core/json.ts";
import { joinRefusals } from "../../core/refusals.ts";
import { sourceFromBlob } from "../../storage/blob.ts";
import type { DatasetFacts, DatasetLibrary } from "./datasetLibrary.ts";
import { type DatasetSummary, summarizeDataset } from "./datasets.ts";

type Dropped = RequestOf<"dataset">["files"][number];

/** Largest file that is stored: more would not fit a browser's database. */
const MOST_BYTES = 2 ** 31;
const MOST_FILES = 1000;
const MOST_PROBLEMS = 100;

/** Finished files, by index in the request. */
type DatasetState = readonly number[];

/** Job kind `dataset`: parses every file once, and stores it unchanged. */
export function createDatasetKind({
  datasets,
}: {
  readonly datasets: DatasetLibrary;
}): JobKind<"dataset", DatasetState> {
  return {
    kind: "dataset",
    resource: "import",
    async prepare({ files }) {
      const [first] = files;
      if (!first) throw new EngineError("usage", "There is no file to make a dataset of.");
      if (files.length > MOST_FILES) {
        const message = `${files.length} files at once are too many: give at most ${MOST_FILES}.`;
        throw new EngineError("usage", message, { files: files.length });
      }
      return {
        title: files.length === 1 ? `Add ${nameOf(first)}` : `Add ${files.length} datasets`,
        recipe: null,
        durable: false,
        totalBytes: bytesOf(files),
      };
    },
    async run({ files }, { signal, progress, save, state, modelsChanged }) {
      const done = new Set(state ?? []);
      const notes: string[] = [];
      const refusals: EngineError[] = [];
      const totalBytes = bytesOf(files);
      let before = 0;
      for (const [i, dropped] of files.entries()) {
        const name = nameOf(dropped);
        const onBytes = (bytes: number) =>
          progress({ doneBytes: before + bytes, totalBytes, label: name });
        signal.throwIfAborted();
        onBytes(0);
        if (!done.has(i)) {
          const added = await addFile(dropped, name, datasets, { signal, onBytes });
          if (added instanceof EngineError) {
            refusals.push(added);
            notes.push(`${name} was left out (${added.code}): ${added.message}`);
          } else {
            notes.push(...added);
            done.add(i);
            await save([...done]);
            modelsChanged();
          }
        }
        before += dropped.file.size;
      }
      if (refusals.length > 0 && done.size === 0) {
        throw joinRefusals(refusals, `None of the ${refusals.length} files became a dataset.`);
      }
      return { models: [], downloads: [], notes };
    },
  };
}

const nameOf = ({ path }: Dropped) => path.split("/").at(-1) || path;

const bytesOf = (files: readonly Dropped[]) => files.reduce((sum, { file }) => sum + file.size, 0);

/** Adds a file; returns notes about it, or the reason why it was not added. */
async function addFile(
  { file, path }: Dropped,
  name: string,
  datasets: DatasetLibrary,
  options: { readonly signal: AbortSignal; onBytes(bytes: number): void },
): Promise<readonly string[] | EngineError> {
  try {
    if (file.size > MOST_BYTES) {
      const message = `${name} has ${file.size} bytes; datasets of at most ${MOST_BYTES} are kept.`;
      throw new EngineError("usage", message, { file: name, byteLength: file.size });
    }
    const source = sourceFromBlob(file, path);
    const inputs = await watchInputs([[name, source]]);
    const summary = await summarizeDataset(source, name);
    const { columns } = summary;
    const facts = factsOf(summary, name);
    const { requireUnchanged } = inputs;
    const card = await datasets.add({ name, source, facts }, { ...options, requireUnchanged });
    if (card.problemCount === 0) return [];
    if (card.rows === 0) {
      return [
        `${card.name}: no column is known to hold its texts. Its columns are ${columns.map(clip).join(", ")}: name one as the text column when you fuse.`,
      ];
    }
    return [`${card.name}: ${card.problemCount} rows could not be read; the others are there.`];
  } catch (error) {
    const about = ["usage", "bad-header", "bad-config", "truncated"];
    if (error instanceof EngineError && about.includes(error.code)) return error;
    throw error;
  }
}

/** Facts of a file; one without a known column is kept, since a fusion may name its text column. */
function factsOf({ texts, chats, problems, columns }: DatasetSummary, name: string): DatasetFacts {
  const rows = texts + chats;
  const problemCount = problems.reduce((sum, { count }) => sum + count, 0);
  if (rows === 0 && columns.length === 0) {
    const why = problems[0] ? ` The first problem: ${problems[0].reason}.` : "";
    throw new EngineError("usage", `${name} has no row that can be read.${why}`, { file: name });
  }
  return {
    kind: chats === 0 ? "text" : texts === 0 ? "chat" : "mixed",
    rows,
    problems: problems
      .slice(0, MOST_PROBLEMS)
      .map(({ reason, count, firstAt }) => `from ${firstAt} on, ${count} times: ${reason}`),
    problemCount,
  };
}
