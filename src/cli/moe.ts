import { basename, dirname, resolve } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { readAll } from "../engine/core/bytes.ts";
import type { GpuProvider } from "../engine/gpu/device.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { type MixtureState, mixInLibrary } from "../engine/mixture/mixtureJob.ts";
import { planMixture } from "../engine/mixture/planMixture.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { createModelCache } from "../engine/runtime/language/modelCache.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { openFiles } from "../node/files.ts";
import { openOutputFolder } from "../node/outputFolder.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { closing } from "./closing.ts";
import { type Command, formatBytes, parseByteSize } from "./command.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS, readBudget } from "./languageModel.ts";
import { markModel } from "./openModel.ts";
import { openRecipeModels } from "./recipeModels.ts";

const LARGEST_CONFIG_BYTES = 2 ** 20;

/** `studio moe`: makes local models the experts of one, as `mergekit-moe` does. */
export const moe: Command = {
  positionals: ["CONFIG", "OUT"],
  summary:
    "Makes dense models the experts of a mixture, by a config of mergekit-moe; writes a Hugging Face folder; resumes its own.",
  options: {
    "shard-size": { value: "SIZE", help: "Largest shard, such as 5GB (the default)." },
    "same-experts": {
      value: null,
      help: "Allow experts that are all one model, to be trained afterwards.",
    },
    ...RUN_OPTIONS,
  },
  run: (call) =>
    closing(async (keep) => {
      const { positionals, options, say } = call;
      const [path = "", target = ""] = positionals;
      const [config, out] = [resolve(path), resolve(target)];
      const request = {
        name: basename(out),
        yaml: await readConfig(config),
        shardBytes: parseByteSize(options["shard-size"] ?? "5GB", "shard-size"),
        ...(options["same-experts"] === undefined ? {} : { sameExperts: true as const }),
      };
      readBudget(options); // refused before anything is opened
      const library = keep(openRecipeModels(dirname(config)));
      const { card, config: mixture } = await planMixture(library, request);
      for (const note of card.notes) say(`note: ${note}`);
      await requireOutside(out, library.opened.keys());
      const marks: (readonly [string, string])[] = [];
      for (const [place, model] of library.opened) marks.push([place, await markModel(model)]);
      const key = fingerprintOf(STUDIO.version, request, marks);
      const output = keep(await openOutputFolder(out, key, []));
      if (output.resumedBytes > 0) say(`Resuming: ${formatBytes(output.resumedBytes)} are done.`);
      const models = { ...library, begin: output.begin, resume: output.resume };
      let opening: Promise<GpuProvider> | null = null;
      // Only prompts need a GPU.
      const gpuProvider = {
        async get() {
          opening ??= openBudgetedGpu(options);
          return (await opening).get();
        },
      };
      const openText = keepLanguageTexts(watchTemplates(nodeThreads()));
      const modelCache = createModelCache({ gpuProvider, library });
      const { notes } = await mixInLibrary(
        { library: models, modelCache, openText },
        request,
        jobContext<MixtureState>(call, {
          id: "terminal",
          state: null,
          save: async () => undefined,
        }),
      );
      for (const note of notes.slice(card.notes.length)) say(`warning: ${note}`);
      const { architecture, parameters } = card;
      const experts = mixture.experts.length;
      return {
        json: { architecture, experts, parameters, bytesWritten: output.bytesWritten(), notes },
        text: `${out}: ${architecture} of ${experts} experts, ${parameters} parameters, ${formatBytes(output.bytesWritten())}`,
      };
    }),
};

async function readConfig(path: string): Promise<string> {
  return closing(async (keep) => {
    const { files } = keep(await openFiles(path));
    const source = files.get(basename(path));
    if (source && files.size === 1 && source.byteLength <= LARGEST_CONFIG_BYTES) {
      return new TextDecoder().decode(await readAll(source, LARGEST_CONFIG_BYTES));
    }
    throw new EngineError(
      "bad-recipe",
      `${path} is no config: it must be one YAML file of at most ${LARGEST_CONFIG_BYTES} bytes.`,
      { path },
    );
  });
}
