import { basename, resolve } from "node:path";
import { listMerges, mergeInLibrary } from "../engine/merge/mergeJob.ts";
import type { StagedState } from "../engine/merge/mergeState.ts";
import { mergeStages, withResults } from "../engine/merge/stages/mergeStages.ts";
import { readWorkKey } from "../node/claimedFolder.ts";
import { openGpuProvider } from "../node/gpuProvider.ts";
import { openOutputFolder } from "../node/outputFolder.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { closing } from "./closing.ts";
import { type Command, formatBytes, parseByteSize } from "./command.ts";
import { jobContext } from "./jobContext.ts";
import { planRecipe } from "./recipeFile.ts";
import { openStageFolders, scratchIn } from "./recipeStages.ts";

/** Seconds from the caller's command to now; bin/studio.mjs says when that was. */
function secondsSinceStart(): number {
  const startedAt = Number(process.env.FUSESTUDIO_STARTED_AT) || performance.timeOrigin;
  return (Date.now() - startedAt) / 1000;
}

/** `studio merge`: runs a recipe on local folders and writes a checkpoint folder. */
export const merge: Command = {
  positionals: ["RECIPE", "OUT"],
  summary: "Runs a mergekit or VaRM recipe and writes a Hugging Face folder; resumes its own.",
  options: {
    "shard-size": { value: "SIZE", help: "Largest shard, such as 5GB (the default)." },
    strict: { value: null, help: "Refuse keys and parameters that have no effect." },
    "keep-stages": {
      value: "DIR",
      help: "Keep the results of a recipe's named documents, each in a folder of DIR.",
    },
    "copy-code": { value: null, help: "Copy code that config.json names (auto_map), too." },
    adapter: { value: "NAME", help: "Part of the GPU's name." },
  },
  run: (call) =>
    closing(async (keep) => {
      const { positionals, options, say } = call;
      const [path = "", target = ""] = positionals;
      const shardBytes = parseByteSize(options["shard-size"] ?? "5GB", "shard-size");
      const out = resolve(target);
      const begun = await readWorkKey(out);
      const found = keep(
        await planRecipe(resolve(path), {
          shardBytes,
          begun,
          strict: options.strict !== undefined,
          copyCode: options["copy-code"] !== undefined,
          say,
        }),
      );
      const { planned, recipe, key, earlier, models } = found;
      const { plan } = planned;
      const stages = resolve(options["keep-stages"] ?? scratchIn(out));
      for (const folder of [out, stages]) await requireOutside(folder, models.opened.keys());
      const output = keep(await openOutputFolder(out, key, earlier));
      if (output.resumedBytes > 0) say(`Resuming: ${formatBytes(output.resumedBytes)} are done.`);
      const gpuProvider = await openGpuProvider(options.adapter);
      const { name } = await gpuProvider.get();
      const startSeconds = secondsSinceStart();
      const begunAt = performance.now();
      const parts = {
        gpuProvider,
        captions: [], // no map is shown
        noteSpeed: () => undefined, // told below
      };
      const folders = openStageFolders(
        { parts, models },
        { folder: stages, key, resumed: begun === key, shardBytes },
      );
      await mergeStages(
        listMerges(recipe, planned, []),
        // No state beside the folders', which know how far they are.
        jobContext<StagedState>(call, { id: "terminal", state: null, save: async () => undefined }),
        (merge, results, context) => {
          const { name } = merge;
          if (name !== null) return folders.merge({ ...merge, name }, results, context);
          const { begin, resume, facts } = output;
          const library = { ...withResults(models, results), begin, resume };
          const request = { recipe, name: basename(out), shardBytes };
          return mergeInLibrary({ ...parts, library, facts }, request, context);
        },
      );
      const seconds = (performance.now() - begunAt) / 1000;
      const bytesRead = found.bytesRead();
      const bytesWritten = output.bytesWritten() + folders.bytesWritten();
      const json = {
        method: plan.method.id,
        tensors: plan.outputs.length,
        bytesRead,
        bytesWritten,
        seconds,
        startSeconds,
        peakBytes: {
          gpuPool: (await gpuProvider.get()).pool.peakBytes,
          rss: process.resourceUsage().maxRSS * 1024,
        },
        adapter: name,
      };
      const speed = formatBytes(bytesRead / Math.max(seconds, 1e-3));
      const text = `${out}: ${plan.outputs.length} tensors, ${formatBytes(bytesWritten)} in ${seconds.toFixed(1)} s (${speed}/s read) on ${name}`;
      return { json, text };
    }),
};
