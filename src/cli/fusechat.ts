import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { PipelineReport } from "../engine/contract/index.ts";
import { invariant } from "../engine/core/invariant.ts";
import { parsePipeline } from "../engine/pipeline/pipelineFile.ts";
import { readReport } from "../engine/pipeline/pipelineJob.ts";
import { formatReport } from "../engine/pipeline/report.ts";
import type { StagesState } from "../engine/pipeline/stages.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { readInput } from "../node/files.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { openWorkFolder } from "../node/workFolder.ts";
import { closing } from "./closing.ts";
import type { Command, Outcome } from "./command.ts";
import { earlierPipelineKey } from "./earlierKeys.ts";
import { openFolderJobs } from "./folderJobs.ts";
import { type InputIds, openFusionInputs } from "./fusionInputs.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS } from "./languageModel.ts";

/** More than the reader of YAML takes, which then says so with a line. */
const LARGEST_PIPELINE_BYTES = 2 ** 24;

interface FolderState {
  /** Pipeline of the stages: another one in the same folder reuses what it can. */
  readonly pipeline: string;
  readonly stages: StagesState | null;
  /** Under which job and ids it was begun, where they are others than today's. */
  readonly begunAs?: { readonly job: string; readonly ids: InputIds };
}

/** `studio fusechat`: represents, aligns, fuses, distills, merges and evaluates, from one YAML. */
export const fusechat: Command = {
  positionals: ["PIPELINE", "OUT"],
  summary:
    "Runs FuseChat from end to end as a YAML file says; writes targets, merges and a report; makes nothing twice.",
  options: RUN_OPTIONS,
  run: (call) =>
    closing(async (keep) => {
      const [path = "", target = ""] = call.positionals;
      const [file, out] = [resolve(path), resolve(target)];
      const { pivot, sources, data, ...settings } = parsePipeline(await readText(file));
      const from = (name: string) => resolve(dirname(file), name);
      const inputs = keep(await openFusionInputs([pivot, ...sources].map(from), data.map(from)));
      await requireOutside(out, [pivot, ...sources].map(from));
      const folder = keep(await openWorkFolder<FolderState>(out, "fusechat"));
      const requestWith = ({ models: [pivotId = "", ...sourceIds], files }: InputIds) => ({
        ...settings,
        kind: "fusechat" as const,
        datasets: files,
        pivot: pivotId,
        sources: sourceIds,
      });
      const key = fingerprintOf(requestWith(inputs));
      const begun = findBegun(folder.state, key, {
        ids: inputs.earlier,
        key: earlierPipelineKey(requestWith(inputs.earlier)),
      });
      if (begun?.stages) call.say("Going on where an earlier run stopped.");
      const gpuProvider = await openBudgetedGpu(call.options);
      const begunAs = begun?.begunAs;
      const { datasets, given, models, files } = begunAs ? inputs.under(begunAs.ids) : inputs;
      const library = keep(await openFolderLibrary(join(out, "models"), given));
      const request = requestWith({ models, files });
      const openText = keepLanguageTexts(watchTemplates(nodeThreads()));
      const parts = { library, datasets, gpuProvider, openText };
      const { fusechat: kind } = openFolderJobs(folder, parts);
      await kind.prepare(request);
      const job = begunAs?.job ?? jobOf(key);
      await kind.run(
        request,
        jobContext(call, {
          id: job,
          state: begun?.stages ?? null,
          save: (stages) => folder.save({ pipeline: key, stages, ...(begunAs ? { begunAs } : {}) }),
        }),
      );
      const report = await readReport(folder.records, job);
      invariant(report, "a pipeline ends in a report");
      await writeFile(join(out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
      await writeFile(join(out, "report.md"), formatReport(report));
      return outcomeOf(report, join(out, "report.md"));
    }),
};

const jobOf = (key: string) => key.slice(0, 16);

/** What a folder holds of the pipeline that is asked for; null for nothing, or for another one. */
function findBegun(
  state: FolderState | null,
  key: string,
  earlier: { readonly key: string | null; readonly ids: InputIds },
): Pick<FolderState, "stages" | "begunAs"> | null {
  if (state?.pipeline === key) return state;
  if (state === null || state.pipeline !== earlier.key) return null;
  return { stages: state.stages, begunAs: { job: jobOf(earlier.key), ids: earlier.ids } };
}

function outcomeOf({ models }: PipelineReport, reportPath: string): Outcome {
  const named = (role: string) =>
    models.filter((each) => each.role === role).map(({ name }) => name);
  const evaluation = models.map(({ name, role, cell, toPlain }) => ({
    model: name,
    role,
    bitsPerByte: cell.bitsPerByte,
    interval: cell.interval,
    rows: cell.rows,
    toPivot: cell.difference,
    toPlain,
    domains: cell.domains,
  }));
  const lines = models.map(({ name, cell: { bitsPerByte, interval, rows } }) => {
    const range = interval?.map((end) => end.toFixed(4)).join(" to ");
    const of = range ? ` (95 %: ${range}, n = ${rows})` : "";
    return `${bitsPerByte?.toFixed(4) ?? "–"} bits per byte${of}  ${name}`;
  });
  return {
    json: { targets: named("target"), merged: named("merge"), evaluation },
    text: [...lines, reportPath].join("\n"),
  };
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readInput(path, LARGEST_PIPELINE_BYTES));
}
