import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type DatasetId, EngineError, type ModelId } from "../engine/contract/index.ts";
import { watchInputs } from "../engine/core/inputs.ts";
import type { FuseInputParts } from "../engine/fuse/fuseModels.ts";
import type { StoredDataset } from "../engine/text/datasets/datasetLibrary.ts";
import { summarizeDataset } from "../engine/text/datasets/datasets.ts";
import { type OpenFiles, openFiles } from "../node/files.ts";
import { type GivenModel, readGivenDatasets, readGivenModels } from "../node/givenModels.ts";
import { fingerprintOf } from "./jobContext.ts";
import { markModel, type OpenModel, openModel } from "./openModel.ts";

/**
 * Models and datasets on disk, as a job finds them in a library. An id is a path and what lies there
 * now: what was made of one id is never taken for what another version of the files would give.
 */
export interface FusionInputs extends Pick<FuseInputParts, "library" | "datasets"> {
  /** The ids of the models that were named, in their order; a model named twice has one id. */
  readonly models: readonly ModelId[];
  /** Those models, each once. */
  readonly given: readonly GivenModel[];
  /** Of the datasets the same. */
  readonly files: readonly DatasetId[];
  close(): Promise<void>;
}

type NamedModel = OpenModel & { readonly name: string };

/** Opens the folders and reads the datasets through once. */
export async function openFusionInputs(
  modelPaths: readonly string[],
  dataPaths: readonly string[],
): Promise<FusionInputs> {
  const models = new Map<ModelId, NamedModel>();
  const datasets = new Map<DatasetId, StoredDataset>();
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const each of closing) await each();
  };
  const addModel = async (path: string): Promise<ModelId> => {
    const opened = await openModel(path);
    closing.push(opened.files.close);
    const id = idOf(path, await markModel(opened));
    if (!models.has(id)) models.set(id, { ...opened, name: freeName(basename(path), models) });
    return id;
  };
  const addData = async (path: string): Promise<DatasetId> => {
    const opened = await openData(path);
    closing.push(opened.close);
    const id = idOf(path, opened.mark);
    datasets.set(id, { ...opened.dataset, card: { ...opened.dataset.card, id } });
    return id;
  };
  try {
    const [modelIds, files]: [ModelId[], DatasetId[]] = [[], []];
    for (const path of modelPaths) modelIds.push(await addModel(resolve(path)));
    for (const path of dataPaths) files.push(await addData(resolve(path)));
    const given = [...models].map(([id, { name, checkpoint }]) => ({ id, name, checkpoint }));
    return {
      models: modelIds,
      files,
      close,
      given,
      library: readGivenModels(given),
      datasets: readGivenDatasets(datasets),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const idOf = (path: string, mark: string) => `${path} ${fingerprintOf(mark).slice(0, 16)}`;

/** Folders of the same name are told apart by a number. */
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

/** Reads a dataset through once: how much of it there is, and what of it cannot be read. */
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
