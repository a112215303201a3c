import { basename, resolve } from "node:path";
import { type MergeState, mergeInLibrary } from "../engine/merge/mergeJob.ts";
import { readWorkKey } from "../node/claimedFolder.ts";
import { openGpuProvider } from "../node/gpuProvider.ts";
import { openOutputFolder } from "../node/outputFolder.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { closing } from "./closing.ts";
import { type Command, formatBytes, parseByteSize } from "./command.ts";
import { jobContext } from "./jobContext.ts";
import { planRecipe } from "./recipeFile.ts";

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
    "copy-code": { value: null, help: "Copy code that config.json names (auto_map), too." },
    adapter: { value: "NAME", help: "Part of the GPU's name." },
  },
  run: (call) =>
    closing(async (keep) => {
      const { positionals, options, say } = call;
      const [path = "", target = ""] = positionals;
      const shardBytes = parseByteSize(options["shard-size"] ?? "5GB", "shard-size");
      const out = resolve(target);
      const planned = keep(
        await planRecipe(resolve(path), {
          shardBytes,
          begun: await readWorkKey(out),
          strict: options.strict !== undefined,
          copyCode: options["copy-code"] !== undefined,
          say,
        }),
      );
      const { plan, recipe, key, earlier, models } = planned;
      await requireOutside(out, models.opened.keys());
      const output = keep(await openOutputFolder(out, key, earlier));
      if (output.resumedBytes > 0) say(`Resuming: ${formatBytes(output.resumedBytes)} are done.`);
      const gpuProvider = await openGpuProvider(options.adapter);
      const { name } = await gpuProvider.get();
      const startSeconds = secondsSinceStart();
      const begun = performance.now();
      await mergeInLibrary(
        {
          library: { ...models, begin: output.begin, resume: output.resume },
          facts: output.facts,
          gpuProvider,
          captions: [], // no map is shown
          noteSpeed: () => undefined, // told below
        },
        { recipe, name: basename(out), shardBytes },
        // No state beside the folder's, which knows how far it is.
        jobContext<MergeState>(call, { id: "terminal", state: null, save: async () => undefined }),
      );
      const seconds = (performance.now() - begun) / 1000;
      const bytesRead = planned.bytesRead();
      const bytesWritten = output.bytesWritten();
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
