import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import { readdir, rename, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  EngineError,
  FUSION_PROFILES,
  TRAINED_MODULES,
  type TrainedModule,
  type TrainingPoint,
  type TrainingSettings,
} from "../engine/contract/index.ts";
import { keepLanguageTexts } from "../engine/evaluate/languageFiles.ts";
import { FUSED_ENDING } from "../engine/fuse/fusedFile.ts";
import { createImportFusionKind } from "../engine/fuse/importFusion.ts";
import type { JobContext } from "../engine/jobs/kind.ts";
import { STUDIO } from "../engine/merge/version.ts";
import { createDistillKind } from "../engine/train/distillJob.ts";
import { readNotes } from "../engine/train/recordState.ts";
import { TRAINING_PROFILES } from "../engine/train/settings.ts";
import { openFolderLibrary } from "../node/folderLibrary.ts";
import { openGpuSource } from "../node/gpuSource.ts";
import { openWorkFolder } from "../node/workFolder.ts";
import { readChoice } from "./choices.ts";
import { type Call, type Command, parseByteSize } from "./command.ts";
import { RUN_OPTIONS, readNumber } from "./languageModel.ts";
import { openModel } from "./openModel.ts";

const JOB = "terminal";
const OUTPUT_DTYPES = ["F32", "F16", "BF16"] as const;

interface DistillState {
  readonly importing: string | null;
  readonly fusion: string | null;
  readonly job: unknown;
}

/** `studio distill`: trains a pivot on a fused dataset; writes the target and its PEFT adapter. */
export const distill: Command = {
  positionals: ["PIVOT", "FUSED", "OUT"],
  summary:
    "Trains a pivot on a fused dataset (a folder of `studio fuse`, or a file); writes the target with its PEFT adapter; resumes its own.",
  options: {
    profile: { value: "NAME", help: `Whose settings: ${FUSION_PROFILES.join(", ")} (studio).` },
    mode: { value: "NAME", help: "lora, or full for all weights (as the profile says)." },
    modules: { value: "LIST", help: `Of the LoRA: some of ${TRAINED_MODULES.join(",")}.` },
    rank: { value: "N", help: "Of the LoRA." },
    alpha: { value: "X", help: "Of the LoRA." },
    dropout: { value: "P", help: "Of the LoRA." },
    lambda: { value: "X", help: "Weight of the text; the rest is the fusion's. 1: plain." },
    loss: { value: "NAME", help: "ce or kl: how the fusion is told." },
    "learning-rate": { value: "X", help: "The largest one." },
    schedule: { value: "NAME", help: "cosine, linear or constant." },
    warmup: { value: "P", help: "Part of the steps in which the rate rises." },
    steps: { value: "N", help: "Updates (as many as the epochs take)." },
    epochs: { value: "X", help: "Times through the data." },
    "batch-tokens": { value: "N", help: "Tokens between two updates." },
    "sequence-tokens": { value: "N", help: "Longest sequence on the GPU." },
    holdout: { value: "P", help: "Part of the documents that is read, not learned." },
    "evaluate-every": { value: "N", help: "Steps between two readings; 0: at the end." },
    seed: { value: "N", help: "Of order, first values and dropout." },
    dtype: { value: "NAME", help: "F32, F16 or BF16 (as the pivot)." },
    ...RUN_OPTIONS,
  },
  async run(call) {
    const { positionals, options, signal, say, progress } = call;
    const [pivotPath = "", fused = "", target = ""] = positionals;
    const settings = readSettings(options);
    const [pivotId, data, out] = [resolve(pivotPath), await findFused(fused), resolve(target)];
    const opened = await openModel(pivotId);
    const { mtimeMs, size } = await stat(data);
    const print = [STUDIO.version, opened.files.fingerprint, data, mtimeMs, size, settings];
    const key = createHash("sha256").update(JSON.stringify(print)).digest("hex");
    try {
      const folder = await openWorkFolder<DistillState>(out, key);
      const library = await openFolderLibrary(join(folder.work, "models"), [
        { id: pivotId, name: basename(pivotId), checkpoint: opened.checkpoint },
      ]);
      try {
        if (folder.state) say("Going on where an earlier run stopped.");
        const source = await openGpuSource(options.adapter);
        if (options.budget) source.setBudget(parseByteSize(options.budget, "budget"));
        let state = folder.state ?? { importing: null, fusion: null, job: null };
        const save = (change: Partial<DistillState>) => {
          state = { ...state, ...change };
          return folder.save(state);
        };
        const context = { id: JOB, signal, modelsChanged: () => undefined };
        const tell: JobContext<never>["progress"] = ({ doneBytes, totalBytes, label }) =>
          progress(doneBytes, totalBytes, label);
        const { fusions, records } = folder;
        if (state.fusion === null) {
          const file = new File([await openAsBlob(data)], basename(data));
          const parts = { library, fusions, source, openText: keepLanguageTexts() };
          const { fusion } = await createImportFusionKind(parts).run(
            {
              ...{ kind: "import-fusion", pivot: pivotId, name: basename(data) },
              files: [{ path: basename(data), file }],
            },
            {
              ...{ ...context, state: state.importing, progress: tell },
              save: (importing) => save({ importing }),
            },
          );
          await save({ fusion: fusion ?? null });
        }
        const kind = createDistillKind({
          ...{ source, library, fusions, records },
          tell: (event) => event.type === "training" && say(sayPoint(event.point)),
        });
        const request = {
          ...{ kind: "distill" as const, pivot: pivotId, fusion: state.fusion as string, settings },
          name: basename(out),
        };
        await kind.prepare(request);
        const { models } = await kind.run(request, {
          ...{ ...context, state: state.job as never, progress: tell },
          save: (job) => save({ job }),
        });
        const { points, heldOutBefore, tokensPerSecond } = await readNotes(records, JOB);
        const made = await library.locate(models[0] as string);
        const { name: adapter } = await source.get();
        const { peakBytes } = (await source.get()).pool;
        for (const entry of await readdir(made)) await rename(join(made, entry), join(out, entry));
        await folder.finish();
        const heldOut = points.findLast((point) => point.heldOut !== null)?.heldOut ?? null;
        return {
          json: {
            ...{ steps: points.length, loss: points.map(({ loss }) => loss), tokensPerSecond },
            ...{ clm: points.map(({ clm }) => clm), fusion: points.map((point) => point.fusion) },
            gradientNorm: points.map(({ gradientNorm }) => gradientNorm),
            heldOutBitsPerByte: { before: heldOutBefore, after: heldOut },
            ...{ peakBytes: { gpuPool: peakBytes }, adapter },
          },
          text: `${out}: ${points.length} steps, loss ${points[0]?.loss.toFixed(4)} → ${points.at(-1)?.loss.toFixed(4)}, held out ${heldOutBefore?.toFixed(4) ?? "–"} → ${heldOut?.toFixed(4) ?? "–"} bits per byte`,
        };
      } finally {
        await library.close();
        await folder.close();
      }
    } finally {
      await opened.files.close();
    }
  },
};

function sayPoint({ step, loss, learningRate, gradientNorm, heldOut }: TrainingPoint): string {
  const read = heldOut === null ? "" : `, held out ${heldOut.toFixed(4)} bits per byte`;
  return `step ${step}: loss ${loss.toFixed(4)}, rate ${learningRate.toExponential(2)}, gradient ${gradientNorm.toFixed(3)}${read}`;
}

/** The dataset's file: what was named, or the one in the folder that was. */
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

function readSettings(options: Call["options"]): TrainingSettings {
  const usual = TRAINING_PROFILES[readChoice(options, "profile", FUSION_PROFILES) ?? "studio"];
  const number = (name: string, before: number, min: number, max: number, whole = false) =>
    readNumber(options, name, before, { min, max, whole });
  return {
    ...usual,
    mode: readChoice(options, "mode", ["lora", "full"]) ?? usual.mode,
    modules: readModules(options.modules) ?? usual.modules,
    rank: number("rank", usual.rank, 1, 1024, true),
    alpha: number("alpha", usual.alpha, 1e-6, 1e6),
    dropout: number("dropout", usual.dropout, 0, 0.99),
    lambda: number("lambda", usual.lambda, 0, 1),
    fusionLoss: readChoice(options, "loss", ["ce", "kl"]) ?? usual.fusionLoss,
    learningRate: number("learning-rate", usual.learningRate, 0, 10),
    schedule: readChoice(options, "schedule", ["cosine", "linear", "constant"]) ?? usual.schedule,
    warmup: number("warmup", usual.warmup, 0, 1),
    steps: options.steps === undefined ? usual.steps : number("steps", 1, 1, 2 ** 31, true),
    epochs: number("epochs", usual.epochs, 0, 1e6),
    batchTokens: number("batch-tokens", usual.batchTokens, 1, 2 ** 24, true),
    sequenceTokens: number("sequence-tokens", usual.sequenceTokens, 2, 2 ** 20, true),
    holdout: number("holdout", usual.holdout, 0, 0.9),
    evaluateEvery: number("evaluate-every", usual.evaluateEvery, 0, 2 ** 31, true),
    seed: number("seed", usual.seed, 0, 2 ** 32 - 1, true),
    dtype: readChoice(options, "dtype", OUTPUT_DTYPES) ?? usual.dtype,
  };
}

function readModules(list: string | undefined): readonly TrainedModule[] | undefined {
  if (list === undefined) return undefined;
  return list.split(",").map((word) => {
    const found = TRAINED_MODULES.find((module) => module === word.trim());
    if (found) return found;
    throw new EngineError(
      "usage",
      `--modules names "${word}"; it must list some of ${TRAINED_MODULES.join(",")}.`,
      { option: "modules" },
    );
  });
}
