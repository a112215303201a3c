import { readdir, rename } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  EngineError,
  SUBWORD_METHODS,
  TRANSPLANT_DEFAULTS,
  TRANSPLANT_METHODS,
  type TransplantSettings,
} from "../engine/contract/index.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { readGivenDatasets } from "../node/givenModels.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { openWorkFolder } from "../node/workFolder.ts";
import { closing } from "./closing.ts";
import type { Command } from "./command.ts";
import { openFolderJobs } from "./folderJobs.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS } from "./languageModel.ts";
import { markModel, openModel } from "./openModel.ts";

const JOB = "terminal";

/** Saved state: the job's own, and the finished model that is to be moved out. */
interface TransplantState {
  readonly transplanting: unknown;
  readonly made: string | null;
}

function readSettings(options: Readonly<Record<string, string | undefined>>): TransplantSettings {
  const choose = <Word extends string>(option: string, words: readonly Word[], ifNone: Word) => {
    const stated = options[option];
    const found = stated === undefined ? ifNone : words.find((word) => word === stated);
    if (found) return found;
    throw new EngineError("usage", `--${option} is one of ${words.join(", ")}, not ${stated}.`);
  };
  return {
    method: choose("approximation-method", TRANSPLANT_METHODS, TRANSPLANT_DEFAULTS.method),
    k: options.k === undefined ? TRANSPLANT_DEFAULTS.k : Number(options.k),
    cosine: options["cosine-similarity"] !== undefined,
    subword: choose("subword-method", SUBWORD_METHODS, TRANSPLANT_DEFAULTS.subword),
  };
}

/** `studio transplant`: writes a model with the tokenizer of another, as mergekit-tokensurgeon does. */
export const transplant: Command = {
  positionals: ["MODEL", "DONOR", "OUT"],
  summary:
    "Gives MODEL the tokenizer of DONOR: shared tokens keep their rows, the others get rows made of them; resumes its own.",
  options: {
    "approximation-method": {
      value: "METHOD",
      help: `How rows are made: ${TRANSPLANT_METHODS.join(", ")} (omp by default).`,
    },
    k: { value: "N", help: "Shared tokens that one is made of at most (64)." },
    "cosine-similarity": { value: null, help: "Nearest by angle (common_interpolation)." },
    "subword-method": {
      value: "METHOD",
      help: `How subwords become one row: ${SUBWORD_METHODS.join(", ")} (mean).`,
    },
    ...RUN_OPTIONS,
  },
  run: (call) =>
    closing(async (keep) => {
      const [model = "", donor = "", target = ""] = call.positionals;
      const settings = readSettings(call.options);
      const out = resolve(target);
      const opened = await Promise.all([model, donor].map((path) => openModel(resolve(path))));
      for (const { files } of opened) keep(files);
      const marks = await Promise.all(opened.map(markModel));
      const gpuProvider = await openBudgetedGpu(call.options);
      const places = opened.map(({ place }) => place);
      await requireOutside(out, places);
      const key = fingerprintOf("transplant", STUDIO.version, marks, settings);
      const folder = keep(await openWorkFolder<TransplantState>(out, key));
      const given = opened.map(({ checkpoint, place }) => {
        return { id: place, name: checkpoint.name, checkpoint };
      });
      const library = keep(await openFolderLibrary(join(folder.work, "models"), given));
      if (folder.state) call.say("Going on where an earlier run stopped.");
      const { transplant: kind } = openFolderJobs(folder, {
        library,
        datasets: readGivenDatasets(new Map()),
        gpuProvider,
        openText: keepLanguageTexts(watchTemplates(nodeThreads())),
      });
      const notes: string[] = [];
      const make = async () => {
        const [own = "", from = ""] = places;
        const name = basename(out);
        const request = { kind: "transplant" as const, model: own, donor: from, settings, name };
        await kind.prepare(request).catch((error) => {
          if (!folder.state) folder.forget(); // what is refused shall not stand in another's way
          throw error;
        });
        const result = await kind.run(
          request,
          jobContext(call, {
            id: JOB,
            state: (folder.state?.transplanting ?? null) as never,
            save: (transplanting) => folder.save({ transplanting, made: null }),
          }),
        );
        notes.push(...result.notes);
        const made = await library.locate(result.models[0]!);
        // From here on the files are being moved: the library no longer has the whole model.
        await folder.save({ transplanting: null, made });
        return made;
      };
      const made = folder.state?.made ?? (await make());
      for (const entry of await readdir(made)) await rename(join(made, entry), join(out, entry));
      await folder.finish();
      return { json: { out, settings, notes }, text: [`${out}:`, ...notes].join(" ") };
    }),
};
