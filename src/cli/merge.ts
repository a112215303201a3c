import { basename, resolve } from "node:path";
import { mergeInto } from "../engine/merge/run/merge.ts";
import { withChecksums } from "../node/checksums.ts";
import { readWorkKey } from "../node/claimedFolder.ts";
import { openFolderWriter } from "../node/folderWriter.ts";
import { openGpuProvider } from "../node/gpuProvider.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { type Command, formatBytes, parseByteSize } from "./command.ts";
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
  async run({ positionals: [path = "", target = ""], options, signal, say, progress }) {
    const shardBytes = parseByteSize(options["shard-size"] ?? "5GB", "shard-size");
    const out = resolve(target);
    const planned = await planRecipe(resolve(path), {
      shardBytes,
      begun: await readWorkKey(out),
      strict: options.strict !== undefined,
      copyCode: options["copy-code"] !== undefined,
      say,
    });
    const { plan, key, earlier } = planned;
    const openOutput = async () => {
      await requireOutside(out, planned.places);
      return openFolderWriter(out, key, { earlier });
    };
    const writer = await openOutput().catch(async (error: unknown) => {
      await planned.close();
      throw error;
    });
    try {
      if (writer.resumedBytes > 0) say(`Resuming: ${formatBytes(writer.resumedBytes)} are done.`);
      const gpuProvider = await openGpuProvider(options.adapter);
      const { name } = await gpuProvider.get();
      const startSeconds = secondsSinceStart();
      const begun = performance.now();
      await mergeInto(plan, withChecksums(writer), gpuProvider, {
        name: basename(out),
        signal,
        progress: (doneBytes, label) => progress(doneBytes, plan.card.readBytes, label),
      });
      const seconds = (performance.now() - begun) / 1000;
      const bytesRead = planned.bytesRead();
      const bytesWritten = writer.bytesWritten();
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
    } finally {
      await writer.close();
      await planned.close();
    }
  },
};
