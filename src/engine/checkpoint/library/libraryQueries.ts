import type { Engine, ModelId } from "../../contract/index.ts";
import { EngineError } from "../../contract/index.ts";
import { storedCard } from "../checkpoint.ts";
import { sortDropped } from "./dropped.ts";
import type { Library } from "./library.ts";

type LibraryQueries = Pick<
  Engine,
  "listModels" | "openModel" | "readModelText" | "renameModel" | "deleteModel" | "sortDropped"
>;

/** The longest text of a checkpoint that the page is given. */
const LONGEST_TEXT_BYTES = 2 ** 20;

/** The engine's queries about the models of the library. */
export function createLibraryQueries({
  library,
  modelCache,
  facts,
  changed,
}: {
  readonly library: Library;
  /** Models that were loaded to be run. */
  readonly modelCache: { forget(model: ModelId): void };
  /** What was measured of models. */
  readonly facts: { forget(model: ModelId): Promise<void> };
  /** Tells the watchers that the library changed. */
  changed(): void;
}): LibraryQueries {
  return {
    listModels: () => library.list(),
    async openModel(id) {
      const [card, checkpoint] = await Promise.all([library.card(id), library.open(id)]);
      return {
        card,
        tensors: [...checkpoint.tensors.values()].map(storedCard),
        files: [...checkpoint.files].map(([path, { byteLength }]) => ({ path, byteLength })),
        notes: checkpoint.notes,
      };
    },
    async readModelText({ model, path }) {
      const file = (await library.tree(model)).get(path);
      if (!file) {
        throw new EngineError("missing-file", `The model has no file "${path}".`, { file: path });
      }
      if (file.byteLength > LONGEST_TEXT_BYTES) {
        throw new EngineError(
          "usage",
          `${path} has ${file.byteLength} bytes; texts of at most ${LONGEST_TEXT_BYTES} are shown. Export the model to read it.`,
          { file: path, byteLength: file.byteLength },
        );
      }
      return new TextDecoder().decode(await file.read(0, file.byteLength));
    },
    async renameModel({ model, name }) {
      const card = await library.rename(model, name);
      changed();
      return card;
    },
    async deleteModel(id) {
      modelCache.forget(id);
      await library.delete(id);
      await facts.forget(id);
      changed();
    },
    sortDropped: async (paths) => sortDropped(paths),
  };
}
