import type { LibraryReader } from "../checkpoint/library/library.ts";
import { findLacking } from "../checkpoint/library/pairs.ts";
import {
  EngineError,
  type ModelCard,
  type ModelId,
  namedModels,
  type Recipe,
} from "../contract/index.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { createExaminer } from "./plan/examine.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { type PrepareOptions, prepareMerge } from "./plan/prepare.ts";

/** The library's card of the model that a recipe calls so; `missing-file` where there is none, or half of it. */
async function findModel(library: LibraryReader, name: string): Promise<ModelCard> {
  const card = await library.findByName(name);
  if (!card) {
    const lacking = await findLacking(name, (part) => library.findByName(part));
    const needs = lacking === name ? "" : `, which "${name}" needs`;
    throw new EngineError(
      "missing-file",
      `There is no model "${lacking}" in the library${needs}. Drop its folder on the page, or choose another model.`,
      { model: lacking },
    );
  }
  if (card.state !== "complete") {
    throw new EngineError(
      "missing-file",
      `The import of "${name}" has not finished. Drop the same folder again and it goes on where it stopped.`,
      { model: name },
    );
  }
  return card;
}

/** Library ids of the models that a recipe names, the base first. */
export async function findModels(
  library: LibraryReader,
  recipe: Recipe,
): Promise<readonly ModelId[]> {
  const { base } = recipe;
  const models = recipe.models.map(({ model }) => model);
  const names = [...(base === undefined ? [] : [base]), ...models];
  const ids: ModelId[] = [];
  for (const name of models.length > 0 ? names : namedModels(recipe))
    ids.push((await findModel(library, name)).id);
  return ids;
}

/** Findings from tokenizers and samples are remembered: the library keeps its checkpoints open. */
const examine = createExaminer();

export interface PlanningParts {
  readonly library: LibraryReader;
  /** Its budget bounds the tiles. */
  readonly gpuProvider: Pick<GpuProvider, "budgetBytes">;
}

/** Plans a recipe over the library; all its models are found before one is opened. */
export async function planFromLibrary(
  { library, gpuProvider }: PlanningParts,
  recipe: Recipe,
  shardBytes: number,
  more: Pick<PrepareOptions, "bytesPerSecond" | "lines"> = {},
): Promise<Plan> {
  await findModels(library, recipe);
  return prepareMerge(recipe, {
    shardBytes,
    budgetBytes: gpuProvider.budgetBytes,
    examine,
    open: async (name) => library.open((await findModel(library, name)).id),
    ...more,
  });
}
