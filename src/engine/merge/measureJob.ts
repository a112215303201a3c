import { EngineError, type ModelId, type Recipe, type WeightMap } from "../contract/index.ts";
import type { JobKind } from "../core/jobs/kind.ts";
import type { GpuProvider } from "../gpu/device.ts";
import {
  findModels,
  type PlanningParts,
  planFromLibrary,
  planStagesFromLibrary,
} from "./libraryPlan.ts";
import { makeWeightMap } from "./map/weightMap.ts";
import { bytesToMeasure } from "./plan/estimate.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { requireRunnable } from "./plan/prepare.ts";
import type { FactStore } from "./run/factStore.ts";
import { measure } from "./run/measure.ts";
import { type Measured, NOTHING_MEASURED } from "./run/measured.ts";

/**
 * Milliseconds between two stores of the measured sums: the most work that a closed tab can cost.
 */
const SAVE_MS = 2000;

export interface MeasureParts extends PlanningParts {
  readonly facts: FactStore;
  readonly gpuProvider: GpuProvider;
  /** Reduce rules that are summed for the weight map's summary, beside the method's own. */
  readonly captions: readonly string[];
}

/** Stores the measured sums every `SAVE_MS`, and once more at the end. */
export function keepFacts(store: FactStore, plan: Plan, ids: readonly ModelId[], known: Measured) {
  let latest = known;
  let savedAt = Date.now();
  const save = () => store.save(plan, ids, latest);
  const onTensor = async (measured: Measured) => {
    latest = measured;
    if (Date.now() - savedAt < SAVE_MS) return;
    savedAt = Date.now();
    await save();
  };
  return { onTensor, save };
}

/** Work that can be watched and given up. */
interface Watched {
  readonly signal: AbortSignal;
  progress?(doneBytes: number, totalBytes: number, label: string): void;
}

/** Refuses to measure what does not exist: the results of a recipe's stages. */
function requireMade({ stages = [] }: Recipe): void {
  const [first] = stages;
  if (!first) return;
  const message = `The recipe merges "${first.name}", which has not been made: there is nothing to measure before the merge itself.`;
  throw new EngineError("missing-file", message, { model: first.name });
}

/** Measures what the weight map of a recipe shows, as far as it is not known, and stores it. */
async function measureRecipe(
  parts: MeasureParts,
  recipe: Recipe,
  { signal, progress }: Watched,
): Promise<{ readonly plan: Plan; readonly measured: Measured }> {
  const { library, facts, gpuProvider, captions } = parts;
  requireMade(recipe);
  const plan = await planFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
  const ids = await findModels(library, recipe);
  const known = await facts.load(plan, ids);
  const { onTensor, save } = keepFacts(facts, plan, ids, known);
  const totalBytes = bytesToMeasure(plan, captions);
  try {
    const measured = await measure(plan, gpuProvider, {
      signal,
      known,
      captions,
      onTensor,
      progress: (doneBytes, label) => progress?.(doneBytes, totalBytes, label),
    });
    return { plan, measured };
  } finally {
    await save();
  }
}

/**
 * Job kind `measure`: computes the sums that the recipe's method needs, which fill the weight map.
 */
export function createMeasureKind(parts: MeasureParts): JobKind<"measure"> {
  return {
    kind: "measure",
    resource: "gpu",
    async prepare({ recipe }) {
      requireMade(recipe);
      const plan = await planFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
      requireRunnable(plan);
      return {
        title: `Measure ${plan.keys.join(", ")}`,
        recipe,
        durable: true,
        totalBytes: bytesToMeasure(plan, parts.captions),
      };
    },
    async run({ recipe }, { signal, progress }) {
      await measureRecipe(parts, recipe, {
        signal,
        progress: (doneBytes, totalBytes, label) => progress({ doneBytes, totalBytes, label }),
      });
      return { models: [], downloads: [], notes: [] };
    },
  };
}

/** Weight map of a recipe from the sums measured so far: none where it has stages. */
export async function readWeightMap(
  parts: Omit<MeasureParts, "captions">,
  recipe: Recipe,
): Promise<WeightMap> {
  const { plan } = await planStagesFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
  if (recipe.stages) return makeWeightMap(plan, NOTHING_MEASURED);
  return makeWeightMap(plan, await parts.facts.load(plan, await findModels(parts.library, recipe)));
}

/** Weight map of a recipe, complete: sums that the merge itself did not need are computed now. */
export async function measureWeightMap(
  parts: MeasureParts,
  recipe: Recipe,
  watched: Watched,
): Promise<WeightMap> {
  const { plan, measured } = await measureRecipe(parts, recipe, watched);
  return makeWeightMap(plan, measured);
}
