import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { alignTasks } from "../engine/align/tasks.ts";
import { createPool } from "../engine/base/pool.ts";
import { EngineError, type PipelineRequest, type Recipe } from "../engine/contract/index.ts";
import { keepLanguageTexts } from "../engine/evaluate/languageFiles.ts";
import { createShelf, withRoom } from "../engine/evaluate/shelf.ts";
import { createFuseKind } from "../engine/fuse/fuseJob.ts";
import { parsePipeline } from "../engine/fusechat/pipelineFile.ts";
import { createPipelineKind, readReport } from "../engine/fusechat/pipelineJob.ts";
import { formatReport } from "../engine/fusechat/report.ts";
import type { StagesState } from "../engine/fusechat/stages.ts";
import { factsInMemory } from "../engine/merge/factStore.ts";
import { createMergeKind, findModels, planFromLibrary } from "../engine/merge/jobs.ts";
import { makeWeightMap } from "../engine/merge/weightMap.ts";
import { createDistillKind } from "../engine/train/distillJob.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { openGpuSource } from "../node/gpuSource.ts";
import { mapsInFolder } from "../node/mapFiles.ts";
import { nodeThreads } from "../node/threads.ts";
import { openWorkFolder } from "../node/workFolder.ts";
import { type Command, parseByteSize } from "./command.ts";
import { openFusionInputs } from "./fusionInputs.ts";
import { RUN_OPTIONS } from "./languageModel.ts";

interface FolderState {
  /** Which pipeline the stages are of: another one in the same folder takes what it can use. */
  readonly pipeline: string;
  readonly stages: StagesState | null;
}

/** `studio fusechat`: represents, aligns, fuses, distils, merges and evaluates, from one YAML. */
export const fusechat: Command = {
  positionals: ["PIPELINE", "OUT"],
  summary:
    "Runs FuseChat from end to end as a YAML file says; writes targets, merges and a report; makes nothing twice.",
  options: RUN_OPTIONS,
  async run({ positionals: [path = "", target = ""], options, signal, say, progress }) {
    const file = resolve(path);
    const pipeline = parsePipeline(await readText(file));
    const out = resolve(target);
    const from = (name: string) => resolve(dirname(file), name);
    const [pivot, sources] = [from(pipeline.pivot), pipeline.sources.map(from)];
    const inputs = await openFusionInputs([pivot, ...sources], pipeline.data.map(from));
    try {
      const folder = await openWorkFolder<FolderState>(out, "fusechat");
      const given = await Promise.all(
        inputs.models.map(async (id) => ({
          ...{ id, name: (await inputs.library.card(id)).name },
          checkpoint: await inputs.library.open(id),
        })),
      );
      const library = await openFolderLibrary(join(out, "models"), given);
      try {
        const { name, fusion, training, plain, merges, evaluationTokens } = pipeline;
        const request: PipelineRequest = {
          ...{ name, pivot, sources, datasets: inputs.files, fusion, training },
          ...{ plain, merges, evaluationTokens },
        };
        const key = createHash("sha256")
          .update(JSON.stringify([inputs.fingerprint, request]))
          .digest("hex");
        const before = folder.state?.pipeline === key ? folder.state.stages : null;
        if (before) say("Going on where an earlier run stopped.");
        const source = await openGpuSource(options.adapter);
        if (options.budget) source.setBudget(parseByteSize(options.budget, "budget"));
        const { fusions, records } = folder;
        const { datasets } = inputs;
        const shelf = createShelf({ source, library });
        const language = { library, shelf, openText: keepLanguageTexts() };
        const pool = createPool(alignTasks, nodeThreads());
        const facts = factsInMemory();
        const merging = { library, facts, source, noteSpeed: () => undefined };
        const kind = createPipelineKind({
          ...{ ...language, datasets, fusions, records },
          kinds: {
            fuse: createFuseKind({
              ...{ ...language, source, datasets, records, fusions, pool, maps: mapsInFolder() },
            }),
            distill: withRoom(
              shelf,
              createDistillKind({
                ...{ source, library, fusions, records },
                tell: () => undefined,
              }),
            ),
            merge: withRoom(shelf, createMergeKind(merging)),
          },
          async weightMap(recipe: Recipe) {
            const plan = await planFromLibrary(merging, recipe, Number.MAX_SAFE_INTEGER);
            return makeWeightMap(plan, await facts.load(plan, await findModels(library, recipe)));
          },
        });
        await kind.prepare({ kind: "fusechat", ...request });
        const job = key.slice(0, 16);
        await kind.run(
          { kind: "fusechat", ...request },
          {
            ...{ id: job, signal, state: before, modelsChanged: () => undefined },
            save: (stages) => folder.save({ pipeline: key, stages }),
            progress: ({ doneBytes, totalBytes, label }) => progress(doneBytes, totalBytes, label),
          },
        );
        const report = await readReport(records, job);
        if (!report) throw new Error("Broken promise: a pipeline ends in a report");
        await writeFile(join(out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
        await writeFile(join(out, "report.md"), formatReport(report));
        const names = (role: string) =>
          report.models.filter((model) => model.role === role).map((model) => model.name);
        const evaluation = report.models.map(({ name: model, role, cell, toPlain }) => ({
          ...{ model, role, bitsPerByte: cell.bitsPerByte, interval: cell.interval },
          ...{ toPivot: cell.difference, toPlain, domains: cell.domains },
        }));
        return {
          json: { targets: names("target"), merged: names("merge"), evaluation },
          text: [
            ...report.models.map(({ name: model, cell }) =>
              `${cell.bitsPerByte?.toFixed(4) ?? "–"} bits per byte  ${model}`.trim(),
            ),
            join(out, "report.md"),
          ].join("\n"),
        };
      } finally {
        await library.close();
        await folder.close();
      }
    } finally {
      await inputs.close();
    }
  },
};

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new EngineError(
      "missing-file",
      `${path} cannot be read: ${error instanceof Error ? error.message : error}. Name a pipeline's YAML file.`,
      { path: basename(path) },
    );
  });
}
