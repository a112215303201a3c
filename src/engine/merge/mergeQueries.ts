import type { Engine } from "../contract/index.ts";
import { EngineError } from "../contract/index.ts";
import { planStagesFromLibrary } from "./libraryPlan.ts";
import { traceParameters } from "./map/parameterCurves.ts";
import { type MeasureParts, readWeightMap } from "./measureJob.ts";
import { methodCard } from "./method.ts";
import { editRecipe } from "./recipe/editRecipe.ts";
import { formatRecipe } from "./recipe/formatRecipe.ts";
import { guessBase } from "./recipe/guessBase.ts";
import { parseRecipe } from "./recipe/parseRecipe.ts";
import { methods } from "./registry.ts";

type MergeQueries = Pick<
  Engine,
  | "listMethods"
  | "parseRecipe"
  | "formatRecipe"
  | "editRecipe"
  | "guessBase"
  | "planMerge"
  | "weightMap"
  | "parameterCurves"
>;

export interface MergeQueriesParts extends MeasureParts {
  /** Bytes of input a second that merges got through on this machine, once one has run. */
  speed(): Promise<number | null>;
}

/** The engine's queries about methods, recipes and their plans. */
export function createMergeQueries(merging: MergeQueriesParts): MergeQueries {
  const { library } = merging;
  return {
    listMethods: async () => [...methods.values()].map(methodCard),
    parseRecipe: async (yaml) => parseRecipe(yaml),
    formatRecipe: async (recipe) => formatRecipe(recipe),
    editRecipe: async ({ text, recipe }) => editRecipe(text, recipe),
    async guessBase(ids) {
      const index = await guessBase(await Promise.all(ids.map((id) => library.open(id))));
      const base = index === null ? undefined : ids[index];
      if (base !== undefined) return base;
      throw new EngineError("mismatch", "These models share no tensors: none can be their base.");
    },
    async planMerge({ recipe, shardBytes, lines }) {
      const bytesPerSecond = await merging.speed();
      return (await planStagesFromLibrary(merging, recipe, shardBytes, { bytesPerSecond, lines }))
        .card;
    },
    weightMap: (recipe) => readWeightMap(merging, recipe),
    async parameterCurves(recipe) {
      const { plan } = await planStagesFromLibrary(merging, recipe, Number.MAX_SAFE_INTEGER);
      return traceParameters(plan);
    },
  };
}
