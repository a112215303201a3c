import type { LibraryReader, LibraryWriter } from "../checkpoint/library/library.ts";
import { EngineError, type JobResult, type ModelId } from "../contract/index.ts";
import type { JobContext, JobKind, RequestOf } from "../core/jobs/kind.ts";
import { findModels, planFromLibrary } from "./libraryPlan.ts";
import { keepFacts, type MeasureParts } from "./measureJob.ts";
import { bytesToMerge } from "./plan/estimate.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { requireRunnable } from "./plan/prepare.ts";
import { mergeInto } from "./run/merge.ts";

export interface MergeParts extends MeasureParts {
  readonly library: LibraryReader & Pick<LibraryWriter, "begin" | "resume">;
  /** Notes the throughput of a merge on this machine, in bytes of input per second. */
  noteSpeed(bytesPerSecond: number): void;
}

/** Saved state of a merge. */
export interface MergeState {
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

/**
 * The captions that a merge sums in passing; undefined where there are none, or where it reads the
 * weights once, since they would take a pass of their own.
 */
const captionsOf = ({ card }: Plan, { captions }: MergeParts) =>
  card.passes > 1 && captions.length > 0 ? captions : undefined;

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

/** Job kind `merge`. */
export function createMergeKind(
  parts: MergeParts & { readonly library: LibraryWriter },
): JobKind<"merge", MergeState> {
  const { library } = parts;
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
        totalBytes: bytesToMerge(plan, captionsOf(plan, parts)),
      };
    },
    run: (request, context) => mergeInLibrary(parts, request, context),
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
