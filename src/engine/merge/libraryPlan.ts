import type { LibraryReader } from "../checkpoint/library/library.ts";
import { EngineError, type ModelId, type Recipe } from "../contract/index.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { createExaminer } from "./plan/examine.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { type PrepareOptions, prepareMerge } from "./plan/prepare.ts";

/** Library ids of the models that a recipe names, the base first. */
export async function findModels(
  library: LibraryReader,
  recipe: Recipe,
): Promise<readonly ModelId[]> {
  const names = [...(recipe.base === undefined ? [] : [recipe.base])];
  for (const { model } of recipe.models) names.push(model);
  const ids: ModelId[] = [];
  for (const name of names) {
    const card = await library.findByName(name);
    if (!card) {
      throw new EngineError(
        "missing-file",
        `There is no model "${name}" in the library. Drop its folder on the page, or choose another model.`,
        { model: name },
      );
    }
    if (card.state !== "complete") {
      throw new EngineError(
        "missing-file",
        `The import of "${name}" has not finished. Drop the same folder again and it goes on where it stopped.`,
        { model: name },
      );
    }
    ids.push(card.id);
  }
  return ids;
}

/** Findings from tokenizers and samples are remembered: the library keeps its checkpoints open. */
const examine = createExaminer();

export interface PlanningParts {
  readonly library: LibraryReader;
  /** Its budget bounds the tiles. */
  readonly gpuProvider: Pick<GpuProvider, "budgetBytes">;
}

/** Plans a recipe over the library. */
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
    open: async (name) => {
      const card = await library.findByName(name);
      if (!card) throw new EngineError("missing-file", `"${name}" was deleted.`, { model: name });
      return library.open(card.id);
    },
    ...more,
  });
}
