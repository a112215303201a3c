import { beginResult, findResult } from "../checkpoint/library/jobResult.ts";
import type { LibraryReader, LibraryWriter } from "../checkpoint/library/library.ts";
import { EngineError, type JobResult, type ModelId, type Recipe } from "../contract/index.ts";
import type { JobContext, JobKind, RequestOf } from "../core/jobs/kind.ts";
import { findModels, planFromLibrary, planStagesFromLibrary } from "./libraryPlan.ts";
import { keepFacts, type MeasureParts } from "./measureJob.ts";
import { isStaged, type MergeState, type StagedState } from "./mergeState.ts";
import { bytesToMerge, readingsOf } from "./plan/estimate.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { requireRunnable } from "./plan/prepare.ts";
import { documentsOf } from "./recipe/stages.ts";
import { mergeInto } from "./run/merge.ts";
import { mergeStages, type OneMerge, withResults } from "./stages/mergeStages.ts";
import type { StagedPlan } from "./stages/prepareStages.ts";

export interface MergeParts extends MeasureParts {
  readonly library: LibraryReader & Pick<LibraryWriter, "begin" | "resume">;
  /** Notes the throughput of a merge on this machine, in bytes of input per second. */
  noteSpeed(bytesPerSecond: number): void;
}

/** Refuses to resume where a name of the recipe now means another model of the library. */
function requireSameModels(before: MergeState["inputs"], ids: readonly ModelId[]): void {
  if (!before || before.join() === ids.join()) return;
  throw new EngineError(
    "changed",
    "Since this merge was begun, another model got one of its models' names. Delete this job and start the merge anew.",
  );
}

/**
 * The captions that a merge sums in passing; undefined where there are none, or where the method
 * measures nothing and goes through the weights once.
 */
const captionsOf = ({ method, outputs }: Plan, { captions }: Pick<MergeParts, "captions">) => {
  const measures = outputs.some(
    (output) => output.action === "merge" && readingsOf(method, output).passes > 1,
  );
  return measures && captions.length > 0 ? captions : undefined;
};

/** Writes the merged model into the library, or goes on with the one that `state` names. */
export async function mergeInLibrary(
  parts: MergeParts,
  { recipe, name, shardBytes }: Omit<RequestOf<"merge">, "kind">,
  { signal, progress, save, state, modelsChanged }: JobContext<MergeState>,
): Promise<JobResult> {
  const { library, facts, gpuProvider } = parts;
  const plan = await planFromLibrary(parts, recipe, shardBytes);
  const ids = await findModels(library, recipe);
  const done = { downloads: [], notes: [] };
  const earlier = await findResult(library, state);
  if (earlier?.state === "complete") return { ...done, models: [earlier.id] };
  if (earlier) requireSameModels(state?.inputs, ids);
  const start = { name, origin: "merge", byteLength: plan.card.writeBytes } as const;
  const begun = await beginResult(library, earlier, start, (model) => save({ model, inputs: ids }));
  modelsChanged();
  const known = await facts.load(plan, ids);
  const kept = keepFacts(facts, plan, ids, known);
  const captions = captionsOf(plan, parts);
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
}

type WritingParts = MergeParts & { readonly library: LibraryWriter };

/** The merges of a recipe with stages, its own the last. */
export function listMerges(
  recipe: Recipe,
  { stages, plan }: StagedPlan,
  captions: MergeParts["captions"],
): readonly OneMerge[] {
  const plans = [...stages.map((stage) => stage.plan), plan];
  return documentsOf(recipe).map((document, i): OneMerge => {
    const own = plans[i]!;
    return { ...document, totalBytes: bytesToMerge(own, captionsOf(own, { captions })) };
  });
}

/** Deletes results that are in the library; those of a job that goes, or of stages that nobody keeps. */
async function deleteResults(
  library: WritingParts["library"],
  merges: readonly MergeState[],
  which: "partial" | "all",
): Promise<void> {
  const cards = await library.list();
  for (const { model } of merges) {
    const card = cards.find(({ id }) => id === model);
    if (card && (which === "all" || card.state === "partial")) await library.delete(card.id);
  }
}

/** Merges a recipe's stages and then itself; the stages' results go at the end, unless they are kept. */
async function mergeWithStages(
  parts: WritingParts,
  { recipe, name, shardBytes, keepStages }: Omit<RequestOf<"merge">, "kind">,
  context: JobContext<StagedState>,
): Promise<JobResult> {
  const { library } = parts;
  let state = context.state ?? { stages: {}, result: null, ...(keepStages && { keepStages }) };
  const finish = async (result: JobResult) => {
    if (!keepStages) await deleteResults(library, Object.values(state.stages), "all");
    context.modelsChanged();
    return result;
  };
  const made = state.result?.model;
  const card = (await library.list()).find(({ id }) => id === made);
  if (card?.state === "complete") return finish({ models: [card.id], downloads: [], notes: [] });
  const planned = await planStagesFromLibrary(parts, recipe, shardBytes);
  const save = async (next: StagedState) => {
    state = next;
    await context.save(next);
  };
  const { result, results } = await mergeStages(
    listMerges(recipe, planned, parts.captions),
    { ...context, state, save },
    (merge, before, own) => {
      const view = { ...parts, library: withResults(library, before) };
      const result = merge.name === null ? name : `${name}-${merge.name}`;
      return mergeInLibrary(view, { recipe: merge.recipe, name: result, shardBytes }, own);
    },
  );
  const kept = keepStages ? [...results.values()] : [];
  return finish({ ...result, models: [...result.models, ...kept] });
}

/** Job kind `merge`. */
export function createMergeKind(parts: WritingParts): JobKind<"merge", MergeState | StagedState> {
  const { library } = parts;
  return {
    kind: "merge",
    resource: "gpu",
    async prepare({ recipe, name, shardBytes }) {
      const planned = await planStagesFromLibrary(parts, recipe, shardBytes);
      requireRunnable(planned);
      const merges = listMerges(recipe, planned, parts.captions);
      return {
        title: `Merge ${name}`,
        recipe: planned.plan.recipe,
        durable: true,
        totalBytes: merges.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
      };
    },
    run: (request, context) => {
      const { state } = context;
      if (!request.recipe.stages) {
        return mergeInLibrary(parts, request, {
          ...context,
          state: isStaged(state) ? null : state,
        });
      }
      const own = isStaged(state) ? state : null;
      return mergeWithStages(parts, request, { ...context, state: own });
    },
    /**
     * Deleting an unfinished merge deletes its partial result, and the results of stages that nobody
     * keeps; a finished result stays in the library.
     */
    async clean(_, state) {
      if (!isStaged(state)) return deleteResults(library, state ? [state] : [], "partial");
      const stages = Object.values(state.stages);
      await deleteResults(library, stages, state.keepStages ? "partial" : "all");
      await deleteResults(library, state.result ? [state.result] : [], "partial");
    },
  };
}
