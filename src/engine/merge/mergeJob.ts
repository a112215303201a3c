import type { LibraryReader, LibraryWriter } from "../checkpoint/library/library.ts";
import { EngineError, type ModelId, type Recipe, type WeightMap } from "../contract/index.ts";
import type { JobKind } from "../core/jobs/kind.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { makeWeightMap } from "./map/weightMap.ts";
import { bytesToMeasure, bytesToMerge } from "./plan/estimate.ts";
import { createExaminer } from "./plan/examine.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { type PrepareOptions, prepareMerge, requireRunnable } from "./plan/prepare.ts";
import type { FactStore } from "./run/factStore.ts";
import { measure } from "./run/measure.ts";
import type { Measured } from "./run/measured.ts";
import { mergeInto } from "./run/merge.ts";

/** Reduce rules that a merge sums for the map's summary, beside the method's own. */
const CAPTIONS = ["agreement"];

/** Those of a merge: none where it reads the weights once, since they would take a pass of their own. */
const captionsOf = ({ card }: Plan) => (card.passes > 1 ? CAPTIONS : undefined);

/**
 * Milliseconds between two stores of the measured sums: the most work that a closed tab can cost.
 */
const SAVE_MS = 2000;

export interface MergeParts {
  readonly library: LibraryReader & LibraryWriter;
  readonly facts: FactStore;
  readonly gpuProvider: GpuProvider;
  /** Notes the throughput of a merge on this machine, in bytes of input per second. */
  noteSpeed(bytesPerSecond: number): void;
}

/** Library ids of the models that a recipe names, the base first. */
async function findModels(library: LibraryReader, recipe: Recipe): Promise<readonly ModelId[]> {
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

/** Plans a recipe over the library. */
export async function planFromLibrary(
  { library, gpuProvider }: Pick<MergeParts, "library" | "gpuProvider">,
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

/** Stores the measured sums every `SAVE_MS`, and once more at the end. */
function keepFacts(store: FactStore, plan: Plan, ids: readonly ModelId[], known: Measured) {
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

/**
 * Job kind `measure`: computes the sums that the recipe's method needs, which fill the weight map.
 */
export function createMeasureKind(parts: MergeParts): JobKind<"measure"> {
  const { library, facts, gpuProvider } = parts;
  return {
    kind: "measure",
    resource: "gpu",
    async prepare({ recipe }) {
      const plan = await planFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
      requireRunnable(plan);
      return {
        title: `Measure ${plan.keys.join(", ")}`,
        recipe,
        durable: true,
        totalBytes: bytesToMeasure(plan, CAPTIONS),
      };
    },
    async run({ recipe }, { signal, progress }) {
      const plan = await planFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
      const ids = await findModels(library, recipe);
      const known = await facts.load(plan, ids);
      const { onTensor, save } = keepFacts(facts, plan, ids, known);
      const totalBytes = bytesToMeasure(plan, CAPTIONS);
      try {
        await measure(plan, gpuProvider, {
          signal,
          known,
          captions: CAPTIONS,
          onTensor,
          progress: (doneBytes, label) => progress({ doneBytes, totalBytes, label }),
        });
      } finally {
        await save();
      }
      return { models: [], downloads: [], notes: [] };
    },
  };
}

/** Weight map of a recipe from the sums measured so far. */
export async function readWeightMap(
  parts: Pick<MergeParts, "library" | "gpuProvider" | "facts">,
  recipe: Recipe,
): Promise<WeightMap> {
  const plan = await planFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
  return makeWeightMap(plan, await parts.facts.load(plan, await findModels(parts.library, recipe)));
}

/** Weight map of a recipe, complete: sums that the merge itself did not need are computed now. */
export async function measureWeightMap(
  parts: MergeParts,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<WeightMap> {
  const plan = await planFromLibrary(parts, recipe, Number.MAX_SAFE_INTEGER);
  const ids = await findModels(parts.library, recipe);
  const known = await parts.facts.load(plan, ids);
  const { onTensor, save } = keepFacts(parts.facts, plan, ids, known);
  try {
    return makeWeightMap(
      plan,
      await measure(plan, parts.gpuProvider, { signal, known, captions: CAPTIONS, onTensor }),
    );
  } finally {
    await save();
  }
}

interface MergeState {
  /** Library id of the result. */
  readonly model: ModelId;
  /** Library ids of the inputs when the merge began; missing in states of older versions. */
  readonly inputs?: readonly ModelId[];
}

/** Refuses to resume where a name of the recipe now means another model of the library. */
function requireSameModels(before: MergeState["inputs"], ids: readonly ModelId[]): void {
  if (!before || before.join() === ids.join()) return;
  throw new EngineError(
    "changed",
    "Since this merge was begun, another model got one of its models' names. Delete this job and start the merge anew.",
  );
}

/** Job kind `merge`: writes the merged model into the library. */
export function createMergeKind(parts: MergeParts): JobKind<"merge", MergeState> {
  const { library, facts, gpuProvider } = parts;
  return {
    kind: "merge",
    resource: "gpu",
    async prepare({ recipe, name, shardBytes }) {
      const plan = await planFromLibrary(parts, recipe, shardBytes);
      requireRunnable(plan);
      return {
        title: `Merge ${name}`,
        recipe: plan.recipe,
        durable: true,
        totalBytes: bytesToMerge(plan, captionsOf(plan)),
      };
    },
    async run({ recipe, name, shardBytes }, { signal, progress, save, state, modelsChanged }) {
      const plan = await planFromLibrary(parts, recipe, shardBytes);
      const ids = await findModels(library, recipe);
      const done = { downloads: [], notes: [] };
      const earlier = state && (await library.list()).find(({ id }) => id === state.model);
      if (earlier?.state === "complete") return { ...done, models: [earlier.id] };
      if (earlier) requireSameModels(state?.inputs, ids);
      const begun = earlier
        ? { id: earlier.id, writer: await library.resume(earlier.id) }
        : await library.begin({
            name,
            origin: "merge",
            byteLength: plan.card.writeBytes,
            fingerprint: null,
            facts: null,
          });
      if (!earlier) await save({ model: begun.id, inputs: ids });
      modelsChanged();
      const known = await facts.load(plan, ids);
      const kept = keepFacts(facts, plan, ids, known);
      const captions = captionsOf(plan);
      const totalBytes = bytesToMerge(plan, captions);
      const startedAt = Date.now();
      try {
        await mergeInto(plan, begun.writer, gpuProvider, {
          name,
          signal,
          known,
          ...(captions ? { captions } : {}),
          onTensor: kept.onTensor,
          progress: (doneBytes, label) => progress({ doneBytes, totalBytes, label }),
        });
      } finally {
        await kept.save();
        modelsChanged();
      }
      if (!earlier) {
        parts.noteSpeed((1000 * totalBytes) / Math.max(Date.now() - startedAt, 1));
      }
      return { ...done, models: [begun.id] };
    },
    /**
     * Deleting an unfinished merge deletes its partial result; a finished result stays in the
     * library.
     */
    async clean(_, state) {
      const result = state && (await library.list()).find(({ id }) => id === state.model);
      if (result?.state === "partial") await library.delete(result.id);
    },
  };
}
