import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { EngineError, type PipelineReport } from "../engine/contract/index.ts";
import { invariant } from "../engine/core/invariant.ts";
import { parsePipeline } from "../engine/pipeline/pipelineFile.ts";
import { readReport } from "../engine/pipeline/pipelineJob.ts";
import { formatReport } from "../engine/pipeline/report.ts";
import type { StagesState } from "../engine/pipeline/stages.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { openWorkFolder } from "../node/workFolder.ts";
import { closing } from "./closing.ts";
import type { Command, Outcome } from "./command.ts";
import { openFolderJobs } from "./folderJobs.ts";
import { openFusionInputs } from "./fusionInputs.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS } from "./languageModel.ts";

interface FolderState {
  /** Which pipeline the stages are of: another one in the same folder takes what it can use. */
  readonly pipeline: string;
  readonly stages: StagesState | null;
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
      const library = keep(await openFolderLibrary(join(out, "models"), inputs.given));
      const [pivotId = "", ...sourceIds] = inputs.models;
      const request = {
        ...settings,
        kind: "fusechat" as const,
        datasets: inputs.files,
        pivot: pivotId,
        sources: sourceIds,
      };
      const key = fingerprintOf(request);
      const before = folder.state?.pipeline === key ? folder.state.stages : null;
      if (before) call.say("Going on where an earlier run stopped.");
      const gpuProvider = await openBudgetedGpu(call.options);
      const { datasets } = inputs;
      const openText = keepLanguageTexts(watchTemplates(nodeThreads()));
      const parts = { library, datasets, gpuProvider, openText };
      const { fusechat: kind } = openFolderJobs(folder, parts);
      await kind.prepare(request);
      const job = key.slice(0, 16);
      await kind.run(
        request,
        jobContext(call, {
          id: job,
          state: before,
          save: (stages) => folder.save({ pipeline: key, stages }),
        }),
      );
      const report = await readReport(folder.records, job);
      invariant(report, "a pipeline ends in a report");
      await writeFile(join(out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
      await writeFile(join(out, "report.md"), formatReport(report));
      return outcomeOf(report, join(out, "report.md"));
    }),
};

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
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new EngineError(
      "missing-file",
      `${path} cannot be read: ${error instanceof Error ? error.message : error}. Name a pipeline's YAML file.`,
      { path: basename(path) },
    );
  });
}
