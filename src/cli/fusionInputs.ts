import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type DatasetId, EngineError, type ModelId } from "../engine/contract/index.ts";
import { watchInputs } from "../engine/core/inputs.ts";
import type { FuseInputParts } from "../engine/fuse/fuseModels.ts";
import type { StoredDataset } from "../engine/text/datasets/datasetLibrary.ts";
import { summarizeDataset } from "../engine/text/datasets/datasets.ts";
import { type OpenFiles, openFiles } from "../node/files.ts";
import { type GivenModel, readGivenDatasets, readGivenModels } from "../node/givenModels.ts";
import { earlierId, earlierMark } from "./earlierKeys.ts";
import { fingerprintOf } from "./jobContext.ts";
import { markModel, type OpenModel, openModel } from "./openModel.ts";

/** The ids of models and datasets as they were named, in their order; what is named twice has one id. */
export interface InputIds {
  readonly models: readonly ModelId[];
  readonly files: readonly DatasetId[];
}

/** Models and datasets on disk, as a job finds them in a library. */
export interface FusionInputs extends InputIds, Pick<FuseInputParts, "library" | "datasets"> {
  /** The models, each once. */
  readonly given: readonly GivenModel[];
}

/**
 * Inputs that are open. An id is a path and what lies there now: what was made of one id is never taken
 * for what another version of the files would give.
 */
export interface OpenFusionInputs extends FusionInputs {
  /** The ids that version 0.1.0 gave to the same files in the same state. */
  readonly earlier: InputIds;
  /** The same inputs under the ids that they had when work with them was begun. */
  under(ids: InputIds): FusionInputs;
  close(): Promise<void>;
}

/** Opens the folders, and reads the datasets once. */
export function openFusionInputs(
  modelPaths: readonly string[],
  dataPaths: readonly string[],
): Promise<OpenFusionInputs> {
  const models: OpenModel[] = [];
  const datasets: StoredDataset[] = [];
  const [ids, earlier] = [emptyIds(), emptyIds()];
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const each of closing) await each();
  };
  const addModel = async (path: string) => {
    const opened = await openModel(path);
    closing.push(opened.files.close);
    models.push(opened);
    ids.models.push(idOf(path, await markModel(opened)));
    earlier.models.push(
      earlierId(path, await earlierMark(opened.place, opened.files.files.keys())),
    );
  };
  const addData = async (path: string) => {
    const opened = await openData(path);
    closing.push(opened.close);
    datasets.push(opened.dataset);
    ids.files.push(idOf(path, opened.mark));
    earlier.files.push(earlierId(path, await earlierMark(path, [basename(path)])));
  };
  const under = (chosen: InputIds) => nameInputs(chosen, modelPaths, models, datasets);
  const openAll = async () => {
    for (const path of modelPaths) await addModel(resolve(path));
    for (const path of dataPaths) await addData(resolve(path));
    return { ...under(ids), earlier, under, close };
  };
  return openAll().catch(async (error: unknown) => {
    await close();
    throw error;
  });
}

const emptyIds = (): { readonly models: ModelId[]; readonly files: DatasetId[] } => ({
  models: [],
  files: [],
});

/** Opened models and datasets under their ids. */
function nameInputs(
  ids: InputIds,
  modelPaths: readonly string[],
  models: readonly OpenModel[],
  datasets: readonly StoredDataset[],
): FusionInputs {
  const given = new Map<ModelId, GivenModel>();
  for (const [i, { checkpoint }] of models.entries()) {
    const id = ids.models[i] as ModelId;
    const name = basename(resolve(modelPaths[i] as string));
    if (!given.has(id)) given.set(id, { id, name: freeName(name, given), checkpoint });
  }
  const stored = new Map<DatasetId, StoredDataset>();
  for (const [i, dataset] of datasets.entries()) {
    const id = ids.files[i] as DatasetId;
    stored.set(id, { ...dataset, card: { ...dataset.card, id } });
  }
  return {
    models: ids.models,
    files: ids.files,
    given: [...given.values()],
    library: readGivenModels(given.values()),
    datasets: readGivenDatasets(stored),
  };
}

const idOf = (path: string, mark: string) => `${path} ${fingerprintOf(mark).slice(0, 16)}`;

/** Name that is not taken: folders of the same name get a number. */
function freeName(name: string, taken: ReadonlyMap<string, { readonly name: string }>): string {
  const names = new Set([...taken.values()].map((each) => each.name));
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name} ${i}`;
    if (!names.has(candidate)) return candidate;
  }
}

async function openData(path: string) {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) {
    throw new EngineError(
      "missing-file",
      `${path} is no file. Name a dataset: JSONL, JSON, Parquet or text.`,
      { path },
    );
  }
  const opened = await openFiles(path);
  try {
    const { mark } = await watchInputs(opened.files);
    return { dataset: await readThrough(path, opened), mark, close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Reads a dataset once: its size, and its unreadable rows. */
async function readThrough(path: string, { files }: OpenFiles): Promise<StoredDataset> {
  const name = basename(path);
  const [source] = files.values();
  if (!source) throw new EngineError("missing-file", `${path} cannot be read.`, { path });
  const { texts, chats, problems } = await summarizeDataset(source, name);
  const problemCount = problems.reduce((sum, { count }) => sum + count, 0);
  return {
    card: {
      id: path,
      name,
      rows: texts + chats,
      byteLength: source.byteLength,
      createdAt: 0,
      kind: chats === 0 ? "text" : texts === 0 ? "chat" : "mixed",
      problems: problems.map(({ reason }) => reason),
      problemCount,
    },
    file: name,
    source,
  };
}
