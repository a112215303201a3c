import { readdir, rename } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  EXTRACTION_DEFAULTS,
  EXTRACTION_SETTINGS,
  type Extraction,
  escapeUnseen,
  type MatrixSpectrum,
} from "../engine/contract/index.ts";
import { readExtraction } from "../engine/extract/documents.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { readGivenDatasets } from "../node/givenModels.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { openWorkFolder } from "../node/workFolder.ts";
import { closing } from "./closing.ts";
import { type Command, columnWidth } from "./command.ts";
import { openFolderJobs } from "./folderJobs.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS } from "./languageModel.ts";
import { markModel, openModel } from "./openModel.ts";
import { readSettings, settingOptions } from "./settingOptions.ts";

const JOB = "terminal";

/** Saved state: the job's own, and the finished adapter that is to be moved out. */
interface ExtractState {
  readonly extracting: unknown;
  readonly made: string | null;
}

/** `studio extract`: writes what a model has beyond its base as a PEFT adapter. */
export const extract: Command = {
  positionals: ["BASE", "MODEL", "OUT"],
  summary:
    "Extracts a LoRA: the leading singular vectors of what MODEL has beyond BASE, as a PEFT adapter with its spectra; resumes its own.",
  options: { ...settingOptions(EXTRACTION_SETTINGS), ...RUN_OPTIONS },
  run: (call) =>
    closing(async (keep) => {
      const [base = "", model = "", target = ""] = call.positionals;
      const settings = readSettings(EXTRACTION_SETTINGS, call.options, EXTRACTION_DEFAULTS);
      const out = resolve(target);
      const opened = await Promise.all([base, model].map((path) => openModel(resolve(path))));
      for (const { files } of opened) keep(files);
      const marks = await Promise.all(opened.map(markModel));
      const gpuProvider = await openBudgetedGpu(call.options);
      const places = opened.map(({ place }) => place);
      await requireOutside(out, places);
      const key = fingerprintOf("extract", STUDIO.version, marks, settings);
      const folder = keep(await openWorkFolder<ExtractState>(out, key));
      const given = opened.map(({ checkpoint, place }) => {
        return { id: place, name: checkpoint.name, checkpoint };
      });
      const library = keep(await openFolderLibrary(join(folder.work, "models"), given));
      if (folder.state) call.say("Going on where an earlier run stopped.");
      const kinds = openFolderJobs(folder, {
        library,
        datasets: readGivenDatasets(new Map()),
        gpuProvider,
        openText: keepLanguageTexts(watchTemplates(nodeThreads())),
      });
      const make = async () => {
        const [from = "", of = ""] = places;
        const request = {
          kind: "extract" as const,
          base: from,
          model: of,
          settings,
          name: basename(out),
        };
        await kinds.extract.prepare(request).catch((error) => {
          if (!folder.state) folder.forget(); // what is refused shall not stand in another's way
          throw error;
        });
        const { models } = await kinds.extract.run(
          request,
          jobContext(call, {
            id: JOB,
            state: (folder.state?.extracting ?? null) as never,
            save: (extracting) => folder.save({ extracting, made: null }),
          }),
        );
        const made = await library.locate(models[0]!);
        // From here on the files are being moved: the library no longer has the whole adapter.
        await folder.save({ extracting: null, made });
        return made;
      };
      const made = folder.state?.made ?? (await make());
      for (const entry of await readdir(made)) await rename(join(made, entry), join(out, entry));
      await folder.finish();
      const adapter = await openModel(out);
      keep(adapter.files);
      const extraction = await readExtraction(adapter.checkpoint);
      const { name, pool } = await gpuProvider.get();
      return {
        json: { ...extraction, peakBytes: { gpuPool: pool.peakBytes }, adapter: name },
        text: formatExtraction(out, extraction),
      };
    }),
};

function formatExtraction(out: string, { matrices, whole, unchanged, notes }: Extraction): string {
  const energy = matrices.reduce((sum, each) => sum + each.energy, 0);
  const kept = matrices.reduce((sum, each) => sum + each.kept * each.energy, 0);
  const parts = [
    `${matrices.length} matrices at ${percent(kept / energy)} of their change`,
    ...(whole.length > 0 ? [`${whole.length} saved whole`] : []),
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
  ];
  return [formatTable(matrices), ...notes, `${out}: ${parts.join(", ")}`].join("\n");
}

const percent = (part: number) => `${(100 * part).toFixed(2)} %`;

/** A row for each matrix: how much of its change is kept, and how fast its spectrum falls. */
function formatTable(matrices: readonly MatrixSpectrum[]): string {
  const rows = matrices.map(({ module, shape, rank, kept, values, energy, stableRank }) => [
    escapeUnseen(module),
    shape.join(" × "),
    String(rank),
    percent(kept),
    Math.sqrt(energy).toPrecision(4),
    (values[0] ?? 0).toPrecision(4),
    (values[rank - 1] ?? 0).toPrecision(4),
    stableRank.toFixed(1),
  ]);
  const heads = ["matrix", "shape", "rank", "kept", "norm", "first σ", "last σ", "stable rank"];
  const widths = heads.map((head, i) =>
    columnWidth(
      rows.map((row) => row[i]!),
      head,
    ),
  );
  const format = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ");
  return [format(heads), ...rows.map(format)].join("\n");
}
