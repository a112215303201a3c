import type { LibraryReader } from "../../checkpoint/library/library.ts";
import { withPairs } from "../../checkpoint/library/pairs.ts";
import type { JobResult, ModelId, Recipe } from "../../contract/index.ts";
import type { JobContext } from "../../core/jobs/kind.ts";
import type { MergeState, StagedState } from "../mergeState.ts";
import { modelOf } from "../recipe/stages.ts";

/** The library as a stage sees it: results of earlier stages under their names, with adapters too. */
export function withResults<Library extends LibraryReader>(
  library: Library,
  results: ReadonlyMap<string, ModelId>,
): Library {
  const findByName = async (name: string) => {
    const id = results.get(name);
    if (id !== undefined) return library.card(id);
    // A result with an adapter is a pair of the two, which the library itself knows nothing of.
    return results.has(modelOf(name)) ? undefined : library.findByName(name);
  };
  return { ...withPairs({ ...library, findByName }), list: library.list };
}

/** One merge of several: `name` is its stage's, null for the recipe itself. */
export interface OneMerge {
  readonly name: string | null;
  readonly recipe: Recipe;
  /** Bytes that it processes, for the progress of all. */
  readonly totalBytes: number;
}

/**
 * Runs the merges of a recipe's stages and then its own, each over the results of those before it.
 * What an earlier run finished is not made again: every merge resumes from its own saved state.
 */
export async function mergeStages(
  merges: readonly OneMerge[],
  context: JobContext<StagedState>,
  run: (
    merge: OneMerge,
    results: ReadonlyMap<string, ModelId>,
    context: JobContext<MergeState>,
  ) => Promise<JobResult>,
): Promise<{ readonly result: JobResult; readonly results: ReadonlyMap<string, ModelId> }> {
  const results = new Map<string, ModelId>();
  const totalBytes = merges.reduce((sum, merge) => sum + merge.totalBytes, 0);
  let state = context.state ?? { stages: {}, result: null };
  let before = 0;
  let result: JobResult = { models: [], downloads: [], notes: [] };
  for (const merge of merges) {
    context.signal.throwIfAborted();
    const { name } = merge;
    const own = name === null ? state.result : (state.stages[name] ?? null);
    const done = before;
    result = await run(merge, results, {
      ...context,
      state: own,
      save: async (next) => {
        state =
          name === null
            ? { ...state, result: next }
            : { ...state, stages: { ...state.stages, [name]: next } };
        await context.save(state);
      },
      progress: ({ doneBytes, label, ...step }) =>
        context.progress({
          ...step,
          doneBytes: done + Math.min(doneBytes, merge.totalBytes),
          totalBytes,
          label: name === null ? label : `${name}: ${label}`,
        }),
    });
    before += merge.totalBytes;
    if (name !== null) results.set(name, result.models[0]!);
  }
  return { result, results };
}
