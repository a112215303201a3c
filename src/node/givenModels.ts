import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { describeCheckpoint } from "../engine/checkpoint/library/databaseLibrary.ts";
import type { LibraryReader } from "../engine/checkpoint/library/library.ts";
import {
  type DatasetId,
  EngineError,
  type ModelCard,
  type ModelId,
} from "../engine/contract/index.ts";
import type { DatasetLibrary, StoredDataset } from "../engine/text/datasets/datasetLibrary.ts";

/** A model on disk that is only read, with a given id. */
export interface GivenModel {
  readonly id: ModelId;
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/** Read-only library of the models given to a command. */
export function readGivenModels(models: Iterable<GivenModel>): LibraryReader {
  const given = [...models];
  const find = (id: ModelId): GivenModel => {
    const found = given.find((model) => model.id === id);
    if (found) return found;
    throw new EngineError("missing-file", `No model "${id}" was given.`, { model: id });
  };
  return {
    list: async () => given.map(cardOf),
    card: async (id) => cardOf(find(id)),
    findByName: async (name) => {
      const found = given.find((model) => model.name === name);
      return found && cardOf(found);
    },
    tree: async (id) => find(id).checkpoint.files,
    open: async (id) => find(id).checkpoint,
  };
}

/** Datasets given to a command, by id. */
export function readGivenDatasets(
  datasets: ReadonlyMap<DatasetId, StoredDataset>,
): Pick<DatasetLibrary, "open"> {
  return {
    async open(id) {
      const found = datasets.get(id);
      if (found) return found;
      throw new EngineError("missing-file", `No dataset "${id}" was given.`, { dataset: id });
    },
  };
}

function cardOf({ id, name, checkpoint }: GivenModel): ModelCard {
  const about = { id, name, origin: "import", state: "complete", createdAt: 0 } as const;
  return { ...about, byteLength: 0, storedBytes: 0, ...describeCheckpoint(checkpoint) };
}
