import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { LibraryReader } from "../engine/checkpoint/library/library.ts";
import { findLacking, withPairs } from "../engine/checkpoint/library/pairs.ts";
import { EngineError } from "../engine/contract/index.ts";
import { shorten } from "../engine/core/json.ts";
import { readGivenModels } from "../node/givenModels.ts";
import { locateModel } from "../node/hubCache.ts";
import { type OpenModel, openModel } from "./openModel.ts";

/**
 * The models that a recipe may name, as a library: folders beside it, and those of the Hub's cache. Each
 * is opened when it is first asked for by name; its id is its place on disk.
 */
export interface RecipeModels extends LibraryReader {
  /** Models that are open, by their places. */
  readonly opened: ReadonlyMap<string, OpenModel>;
  close(): Promise<void>;
}

/**
 * Library of what lies in `folder`, and of `model+adapter` of it; `missing-file` for a name without a
 * model there.
 */
export function openRecipeModels(folder: string): RecipeModels {
  const models = withPairs(openFolders(folder));
  return {
    ...models,
    async findByName(name) {
      const found = await models.findByName(name);
      if (found) return found;
      const lacking = await findLacking(name, (part) => models.findByName(part));
      throw missingModel(lacking, name, folder);
    },
  };
}

function openFolders(folder: string): RecipeModels {
  const opened = new Map<string, OpenModel>();
  const given = () =>
    readGivenModels(
      Array.from(opened, ([id, { checkpoint }]) => ({ id, name: checkpoint.name, checkpoint })),
    );
  return {
    opened,
    list: () => given().list(),
    card: (id) => given().card(id),
    tree: (id) => given().tree(id),
    open: (id) => given().open(id),
    async findByName(name) {
      const place = await locateModel(resolve(folder, name), name);
      if (!opened.has(place)) {
        if (!(await stat(place).catch(() => undefined))) return undefined;
        opened.set(place, await openModel(place));
      }
      return given().card(place);
    },
    async close() {
      for (const { files } of opened.values()) await files.close();
    },
  };
}

/** Error for a name without a folder, with the command that downloads it from the Hub. */
function missingModel(model: string, named: string, folder: string): EngineError {
  const hub = /^[\w.-]+\/[\w.-]+$/.test(model);
  const help = hub
    ? ` If it is a model of the Hub, download it first:  hf download ${model} --local-dir ${JSON.stringify(resolve(folder, model))}`
    : "";
  const needs = model === named ? "" : `, which "${named}" needs`;
  return new EngineError(
    "missing-file",
    shorten(`There is no model "${model}" beside the recipe, in ${folder}${needs}.${help}`),
    { model: model.slice(0, 120), folder },
  );
}
