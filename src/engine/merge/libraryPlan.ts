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
import { adaptersOf, documentsOf, modelOf } from "./recipe/stages.ts";
import { prepareStages, type StagedPlan } from "./stages/prepareStages.ts";

/** The library's card of the model that a recipe calls so; `missing-file` where there is none, or half of it. */
export async function findModel(library: LibraryReader, name: string): Promise<ModelCard> {
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

type More = Pick<PrepareOptions, "bytesPerSecond" | "lines">;

function optionsOver({ library, gpuProvider }: PlanningParts, shardBytes: number, more: More) {
  const open = async (name: string) => library.open((await findModel(library, name)).id);
  const { budgetBytes } = gpuProvider;
  return { shardBytes, budgetBytes, examine, open, ...more } satisfies PrepareOptions;
}

/**
 * Plans a recipe over the library, where the results of its stages are already; all its models are
 * found before one is opened.
 */
export async function planFromLibrary(
  parts: PlanningParts,
  recipe: Recipe,
  shardBytes: number,
  more: More = {},
): Promise<Plan> {
  await findModels(parts.library, recipe);
  return prepareMerge(recipe, optionsOver(parts, shardBytes, more));
}

/** Plans a recipe with its stages over the library, none of which is made yet. */
export async function planStagesFromLibrary(
  parts: PlanningParts,
  recipe: Recipe,
  shardBytes: number,
  more: More = {},
): Promise<StagedPlan> {
  const { stages = [] } = recipe;
  const made = new Set(stages.map(({ name }) => name));
  const named = documentsOf(recipe).flatMap((document) => namedModels(document.recipe));
  // Of a result with an adapter, only the adapter must be there already.
  const needed = named.flatMap((name) => (made.has(modelOf(name)) ? adaptersOf(name) : [name]));
  for (const name of new Set(needed)) await findModel(parts.library, name);
  return prepareStages(recipe, optionsOver(parts, shardBytes, more));
}
