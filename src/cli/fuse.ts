import { setMaxListeners } from "node:events";
import { basename, join, resolve } from "node:path";
import {
  FUSION_DEFAULTS,
  FUSION_PROFILES,
  FUSION_SETTINGS,
  type FusionCard,
  type FusionSettings,
} from "../engine/contract/index.ts";
import type { FuseState } from "../engine/fuse/fuseJob.ts";
import { prepareFusion } from "../engine/fuse/fuseModels.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { openFusionFolder, PARQUET_FORMATS } from "../node/fusionFolder.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { readChoice } from "./choices.ts";
import { closing } from "./closing.ts";
import type { Call, Command } from "./command.ts";
import { earlierFuseKey } from "./earlierKeys.ts";
import { openFolderJobs } from "./folderJobs.ts";
import { type InputIds, openFusionInputs } from "./fusionInputs.ts";
import { fusionReport } from "./fusionReport.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS, readBudget } from "./languageModel.ts";
import { PROFILE_OPTION, readSettings, settingOptions } from "./settingOptions.ts";

/** A fusion, and the ids of its inputs where it was begun under others than today's. */
interface FolderState extends FuseState {
  readonly ids?: InputIds;
}

/** `studio fuse`: fuses the predictions of sources in the pivot's tokens. */
export const fuse: Command = {
  positionals: ["PIVOT", "SOURCE", "DATA", "OUT"],
  summary:
    "Reads a dataset with a pivot and its sources, aligns and fuses what they say, and writes a fused dataset; resumes its own.",
  options: {
    source: { value: "MODEL", help: "Another source; may be repeated.", many: true },
    data: { value: "FILE", help: "Another dataset; may be repeated.", many: true },
    ...settingOptions(FUSION_SETTINGS),
    profile: PROFILE_OPTION,
    parquet: { value: "FORMAT", help: `Parquet beside our own: ${PARQUET_FORMATS.join(", ")}.` },
    ...RUN_OPTIONS,
  },
  run: (call) =>
    closing(async (keep) => {
      const { positionals, options, signal, say } = call;
      const [pivot = "", first = "", data = "", target = ""] = positionals;
      const settings = readFusionSettings(options);
      const parquet = readChoice(options, "parquet", PARQUET_FORMATS) ?? null;
      readBudget(options); // refused before anything is read
      const named = [pivot, first, ...many(options.source)];
      const inputs = keep(await openFusionInputs(named, [data, ...many(options.data)]));
      const out = resolve(target);
      const requestWith = ({ models: [pivotId = "", ...sources], files }: InputIds) => ({
        kind: "fuse" as const,
        pivot: pivotId,
        sources,
        settings,
        datasets: files,
        name: basename(out),
      });
      const openText = keepLanguageTexts(watchTemplates(nodeThreads()));
      const { totalBytes } = await prepareFusion(requestWith(inputs), {
        ...inputs,
        openText,
      });
      await requireOutside(
        out,
        named.map((path) => resolve(path)),
      );
      const key = fingerprintOf(STUDIO.version, requestWith(inputs));
      const earlier = earlierFuseKey(requestWith(inputs.earlier));
      const folder = keep(await openFusionFolder<FolderState>(out, key, earlier));
      const ids = folder.isEarlier ? inputs.earlier : (folder.state?.ids ?? null);
      const { datasets, given, models, files } = ids ? inputs.under(ids) : inputs;
      if (folder.state) say("Going on where an earlier run stopped.");
      const gpuProvider = await openBudgetedGpu(options);
      const { name } = await gpuProvider.get();
      const library = keep(await openFolderLibrary(join(folder.work, "models"), given));
      const parts = { library, datasets, gpuProvider, openText };
      const { fuse: kind } = openFolderJobs(folder, parts);
      setMaxListeners(0, signal); // every piece of work listens
      const begun = performance.now();
      const context = jobContext<FuseState>(call, {
        id: "terminal",
        state: folder.state,
        save: (state) => folder.save(ids ? { ...state, ids } : state),
      });
      const { notes, fusion = "" } = await kind.run(requestWith({ models, files }), {
        ...context,
        progress: (step) =>
          context.progress({ ...step, totalBytes: Math.max(step.totalBytes, totalBytes) }),
      });
      const seconds = (performance.now() - begun) / 1000;
      const card: FusionCard = await folder.fusions.card(fusion);
      for (const note of notes) say(note);
      const names = await folder.seal(card, parquet);
      const report = fusionReport(card);
      return {
        json: { ...report.json, files: names, notes, seconds, adapter: name },
        text: `${report.text}\n${names.map((file) => resolve(out, file)).join("\n")}`,
      };
    }),
};

const many = (joined: string | undefined) => joined?.split("\n") ?? [];

/** The settings as `--profile` and the other options state them. */
function readFusionSettings(options: Call["options"]): FusionSettings {
  const profile = readChoice(options, "profile", FUSION_PROFILES) ?? "studio";
  return readSettings(FUSION_SETTINGS, options, FUSION_DEFAULTS[profile]);
}
