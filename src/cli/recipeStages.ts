import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { JobResult, ModelId } from "../engine/contract/index.ts";
import type { JobContext } from "../engine/core/jobs/kind.ts";
import { type MergeParts, mergeInLibrary } from "../engine/merge/mergeJob.ts";
import type { MergeState } from "../engine/merge/mergeState.ts";
import { type OneMerge, withResults } from "../engine/merge/stages/mergeStages.ts";
import { STAGES_FOLDER, STATE_FILE, WORK_FOLDER } from "../node/claimedFolder.ts";
import { openOutputFolder } from "../node/outputFolder.ts";
import { fingerprintOf } from "./jobContext.ts";
import type { RecipeModels } from "./recipeModels.ts";

/** Where the stages of a recipe are written, and how they are merged. */
export interface StageFolders {
  /** Merges one stage into its folder, or takes what an earlier run finished there. */
  merge(
    stage: OneMerge & { readonly name: string },
    results: ReadonlyMap<string, ModelId>,
    context: JobContext<MergeState>,
  ): Promise<JobResult>;
  bytesWritten(): number;
}

/** Folder of scratch inside the one that is being written. */
export const scratchIn = (out: string) => join(out, WORK_FOLDER, STAGES_FOLDER);

/** Whether a folder holds a whole result: a writer removes its state last. */
async function isWhole(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  const unfinished = await stat(join(folder, WORK_FOLDER, STATE_FILE)).catch(() => null);
  return names.some((name) => name !== WORK_FOLDER) && unfinished === null;
}

/** Folders below `folder`, one for each stage. `resumed`: an earlier run with this `key` filled them. */
export function openStageFolders(
  {
    parts,
    models,
  }: { readonly parts: Omit<MergeParts, "library" | "facts">; readonly models: RecipeModels },
  {
    folder,
    key,
    resumed,
    shardBytes,
  }: {
    readonly folder: string;
    readonly key: string;
    readonly resumed: boolean;
    readonly shardBytes: number;
  },
): StageFolders {
  let written = 0;
  return {
    bytesWritten: () => written,
    async merge({ name, recipe }, results, context) {
      const place = join(folder, encodeURIComponent(name));
      if (!resumed || !(await isWhole(place))) {
        const { begin, resume, facts, bytesWritten, close } = await openOutputFolder(
          place,
          fingerprintOf(key, name),
          [],
        );
        try {
          const library = { ...withResults(models, results), begin, resume };
          const request = { recipe, name, shardBytes };
          await mergeInLibrary({ ...parts, library, facts }, request, context);
          written += bytesWritten();
        } finally {
          await close();
        }
      }
      const { id } = (await models.findByName(place))!;
      return { models: [id], downloads: [], notes: [] };
    },
  };
}
