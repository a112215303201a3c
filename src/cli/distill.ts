import { openAsBlob } from "node:fs";
import { readdir, rename, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  EngineError,
  FUSION_PROFILES,
  type FusionId,
  type ModelId,
  TRAINING_DEFAULTS,
  TRAINING_SETTINGS,
  type TrainingPoint,
  type TrainingSettings,
} from "../engine/contract/index.ts";
import { watchInputs } from "../engine/core/inputs.ts";
import { FUSED_ENDING } from "../engine/fuse/dataset/fusedFile.ts";
import type { GpuProvider } from "../engine/gpu/device.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { prepareTraining } from "../engine/train/distillJob.ts";
import { checkTraining } from "../engine/train/planner.ts";
import { readNotes, type TrainingNotes } from "../engine/train/recordState.ts";
import { openFiles } from "../node/files.ts";
import { type FolderLibrary, openFolderLibrary } from "../node/folderLibrary.ts";
import { readGivenDatasets } from "../node/givenModels.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { nodeThreads } from "../node/threads.ts";
import { openWorkFolder, type WorkFolder } from "../node/workFolder.ts";
import { readChoice } from "./choices.ts";
import { closing } from "./closing.ts";
import type { Call, Command, Outcome } from "./command.ts";
import { earlierDistillKey } from "./earlierKeys.ts";
import { openFolderJobs } from "./folderJobs.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { openBudgetedGpu, RUN_OPTIONS } from "./languageModel.ts";
import { markModel, openModel } from "./openModel.ts";
import { PROFILE_OPTION, readSettings, settingOptions } from "./settingOptions.ts";

const JOB = "terminal";

/** Saved state: the imported dataset, the training, and the target to be moved out. */
interface DistillState {
  readonly importing: unknown;
  readonly fusion: FusionId | null;
  readonly training: unknown;
  readonly made: MadeTarget | null;
}
const NOTHING_DONE: DistillState = { importing: null, fusion: null, training: null, made: null };

interface MadeTarget {
  readonly folder: string;
  /** Planned bytes of the GPU's pool. */
  readonly plannedBytes: number;
}

/** One run of the command. */
interface Run {
  readonly call: Call;
  readonly folder: WorkFolder<DistillState>;
  readonly library: FolderLibrary;
  readonly kinds: ReturnType<typeof openFolderJobs>;
  readonly gpuProvider: GpuProvider;
  readonly pivot: ModelId;
}

/** `studio distill`: trains a pivot on a fused dataset; writes the target and its PEFT adapter. */
export const distill: Command = {
  positionals: ["PIVOT", "FUSED", "OUT"],
  summary:
    "Trains a pivot on a fused dataset (a folder of `studio fuse`, or a file); writes the target with its PEFT adapter; resumes its own.",
  options: {
    profile: PROFILE_OPTION,
    ...settingOptions(TRAINING_SETTINGS),
    ...RUN_OPTIONS,
  },
  run: (call) =>
    closing(async (keep) => {
      const [pivotPath = "", fused = "", target = ""] = call.positionals;
      const settings = readTrainingSettings(call.options);
      const [pivot, data, out] = [resolve(pivotPath), await findFused(fused), resolve(target)];
      const opened = await openModel(pivot);
      const { checkpoint } = opened;
      keep(opened.files);
      const marks = [await markModel(opened), await markData(data)];
      const gpuProvider = await openBudgetedGpu(call.options);
      checkTraining(checkpoint, settings, gpuProvider.budgetBytes);
      const key = fingerprintOf(STUDIO.version, data, marks, settings);
      const earlier = await earlierDistillKey(opened, data, settings);
      await requireOutside(out, [pivot]);
      const folder = keep(await openWorkFolder<DistillState>(out, key, earlier));
      const given = [{ id: pivot, name: basename(pivot), checkpoint }];
      const library = keep(await openFolderLibrary(join(folder.work, "models"), given));
      if (folder.state) call.say("Going on where an earlier run stopped.");
      const kinds = openFolderJobs(folder, {
        library,
        datasets: readGivenDatasets(new Map()), // the fused one is imported
        gpuProvider,
        openText: keepLanguageTexts(watchTemplates(nodeThreads())),
        tell: (event) => event.type === "training" && call.say(sayPoint(event.point)),
      });
      const run = { call, folder, library, kinds, gpuProvider, pivot };
      const made = folder.state?.made ?? (await make(run, data, settings, basename(out)));
      const notes = await readNotes(folder.records, JOB);
      for (const entry of await readdir(made.folder)) {
        await rename(join(made.folder, entry), join(out, entry));
      }
      await folder.finish();
      const { name: adapter, pool } = await gpuProvider.get();
      const bytes = { planned: made.plannedBytes, peak: pool.peakBytes };
      return outcomeOf(notes, { out, adapter, bytes });
    }),
};

/** The settings as `--profile` and the other options state them. */
function readTrainingSettings(options: Call["options"]): TrainingSettings {
  const profile = readChoice(options, "profile", FUSION_PROFILES) ?? "studio";
  return readSettings(TRAINING_SETTINGS, options, TRAINING_DEFAULTS[profile]);
}

/** Mark of the dataset's file, which changes when it does. */
async function markData(path: string): Promise<string> {
  const { files, close } = await openFiles(path);
  const { mark } = await watchInputs(files);
  await close();
  return mark;
}

/** Makes the target inside the work folder. */
async function make(
  run: Run,
  data: string,
  settings: TrainingSettings,
  name: string,
): Promise<MadeTarget> {
  const { folder, library, gpuProvider, pivot } = run;
  const fusion = folder.state?.fusion ?? (await importData(run, data));
  const parts = { library, fusions: folder.fusions, gpuProvider };
  const { plan } = await prepareTraining(parts, { pivot, fusion, settings }).catch((error) => {
    if (!folder.state?.training) folder.forget(); // what is refused shall not stand in another's way
    throw error;
  });
  const model = await train(run, { fusion, settings, name });
  const made = { folder: await library.locate(model), plannedBytes: plan.bytes.total };
  // From here on the files are being moved: the library no longer has the whole model.
  await folder.save({ ...NOTHING_DONE, made });
  return made;
}

/** Imports the dataset into the folder, resuming where an earlier run stopped. */
async function importData(run: Run, data: string): Promise<FusionId> {
  const { call, folder, kinds, pivot } = run;
  const name = basename(data);
  const file = new File([await openAsBlob(data)], name);
  const { fusion = "" } = await kinds.importFusion.run(
    { kind: "import-fusion", pivot, name, files: [{ path: name, file }] },
    jobContext(call, {
      id: JOB,
      state: (folder.state?.importing ?? null) as never,
      save: (importing) => folder.save({ ...NOTHING_DONE, importing }),
    }),
  );
  await folder.save({ ...NOTHING_DONE, fusion });
  return fusion;
}

/** Trains the target, resuming where an earlier run stopped. */
async function train(
  { call, folder, kinds, pivot }: Run,
  request: {
    readonly fusion: FusionId;
    readonly settings: TrainingSettings;
    readonly name: string;
  },
): Promise<ModelId> {
  const whole = { kind: "distill" as const, pivot, ...request };
  await kinds.distill.prepare(whole);
  const { models } = await kinds.distill.run(
    whole,
    jobContext(call, {
      id: JOB,
      state: (folder.state?.training ?? null) as never,
      save: (training) => folder.save({ ...NOTHING_DONE, fusion: request.fusion, training }),
    }),
  );
  return models[0] as ModelId;
}

function outcomeOf(
  { points, heldOutBefore, tokensPerSecond }: TrainingNotes,
  {
    out,
    adapter,
    bytes,
  }: {
    readonly out: string;
    readonly adapter: string;
    /** Bytes of the GPU's pool. */
    readonly bytes: { readonly planned: number; readonly peak: number };
  },
): Outcome {
  const heldOut = points.findLast((point) => point.heldOut !== null)?.heldOut ?? null;
  const show = (value: number | null | undefined) => value?.toFixed(4) ?? "–";
  return {
    json: {
      steps: points.length,
      loss: points.map(({ loss }) => loss),
      tokensPerSecond,
      clm: points.map(({ clm }) => clm),
      fusion: points.map(({ fusion }) => fusion),
      gradientNorm: points.map(({ gradientNorm }) => gradientNorm),
      heldOutBitsPerByte: { before: heldOutBefore, after: heldOut },
      plannedBytes: { gpuPool: bytes.planned },
      peakBytes: { gpuPool: bytes.peak },
      adapter,
    },
    text: `${out}: ${points.length} steps, loss ${show(points[0]?.loss)} → ${show(points.at(-1)?.loss)}, held out ${show(heldOutBefore)} → ${show(heldOut)} bits per byte`,
  };
}

function sayPoint({ step, loss, learningRate, gradientNorm, heldOut }: TrainingPoint): string {
  const read = heldOut === null ? "" : `, held out ${heldOut.toFixed(4)} bits per byte`;
  return `step ${step}: loss ${loss.toFixed(4)}, rate ${learningRate.toExponential(2)}, gradient ${gradientNorm.toFixed(3)}${read}`;
}

/** The dataset's file: the given one, or the one in the given folder. */
async function findFused(path: string): Promise<string> {
  const full = resolve(path);
  const found = await stat(full).catch(() => null);
  if (found?.isFile()) return full;
  const names = found ? await readdir(full) : [];
  const own = names.filter((name) => name.endsWith(FUSED_ENDING));
  if (own.length === 1) return join(full, own[0] as string);
  throw new EngineError(
    "missing-file",
    `${full} holds ${own.length} fused datasets: name a folder that "studio fuse" wrote, or one ${FUSED_ENDING} or Parquet file.`,
    { path: full },
  );
}
