import {
  EngineError,
  FUSION_PROFILES,
  TRAINED_MODULES,
  type TrainedModule,
  type TrainingSettings,
} from "../engine/contract/index.ts";
import { TRAINING_CHOICES, TRAINING_PROFILES, TRAINING_RANGES } from "../engine/train/settings.ts";
import { readChoice, readSwitch } from "./choices.ts";
import type { Call } from "./command.ts";
import { readNumber } from "./languageModel.ts";

const DTYPES = TRAINING_CHOICES.dtype.filter((dtype) => dtype !== null);

/** Options of a command that trains; what is not given is as its profile says. */
export const TRAINING_OPTIONS = {
  mode: { value: "NAME", help: "lora, or full for all weights (as the profile says)." },
  modules: { value: "LIST", help: `Of the LoRA: some of ${TRAINED_MODULES.join(",")}.` },
  rank: { value: "N", help: "Of the LoRA." },
  alpha: { value: "X", help: "Of the LoRA." },
  dropout: { value: "P", help: "Of the LoRA." },
  rslora: { value: "on|off", help: "Alpha by the root of the rank (as the profile says)." },
  lambda: { value: "X", help: "Weight of the text; the rest is the fusion's. 1: plain." },
  "lambda-schedule": { value: "NAME", help: "hard, hard_and_decay or soft." },
  loss: { value: "NAME", help: "ce or kl: how the fusion is told." },
  "learning-rate": { value: "X", help: "The largest one." },
  schedule: { value: "NAME", help: "cosine, linear or constant." },
  warmup: { value: "P", help: "Part of the steps in which the rate rises." },
  "weight-decay": { value: "X", help: "AdamW's, of matrices." },
  clip: { value: "X", help: "The longest gradient; 0 takes any." },
  packing: { value: "on|off", help: "Several documents in a sequence (as the profile says)." },
  steps: { value: "N", help: "Updates (as many as the epochs take)." },
  epochs: { value: "X", help: "Times through the data." },
  "batch-tokens": { value: "N", help: "Tokens between two updates." },
  "sequence-tokens": { value: "N", help: "Longest sequence on the GPU." },
  holdout: { value: "P", help: "Part of the documents that is read, not learned." },
  "evaluate-every": { value: "N", help: "Steps between two readings; 0: at the end." },
  seed: { value: "N", help: "Of order, first values and dropout." },
  dtype: { value: "NAME", help: "F32, F16 or BF16 (as the pivot)." },
} as const;

/** The settings of a training as `--profile` and the options above state them; `usage` otherwise. */
export function readTrainingSettings(options: Call["options"]): TrainingSettings {
  const usual = TRAINING_PROFILES[readChoice(options, "profile", FUSION_PROFILES) ?? "studio"];
  const number = (option: keyof typeof TRAINING_OPTIONS, name: keyof typeof TRAINING_RANGES) =>
    readNumber(options, option, usual[name] ?? 1, TRAINING_RANGES[name]);
  return {
    ...usual,
    mode: readChoice(options, "mode", TRAINING_CHOICES.mode) ?? usual.mode,
    modules: readModules(options.modules) ?? usual.modules,
    rank: number("rank", "rank"),
    alpha: number("alpha", "alpha"),
    dropout: number("dropout", "dropout"),
    lambda: number("lambda", "lambda"),
    rslora: readSwitch(options, "rslora") ?? usual.rslora,
    lambdaSchedule:
      readChoice(options, "lambda-schedule", TRAINING_CHOICES.lambdaSchedule) ??
      usual.lambdaSchedule,
    weightDecay: number("weight-decay", "weightDecay"),
    clip: number("clip", "clip"),
    packing: readSwitch(options, "packing") ?? usual.packing,
    fusionLoss: readChoice(options, "loss", TRAINING_CHOICES.fusionLoss) ?? usual.fusionLoss,
    learningRate: number("learning-rate", "learningRate"),
    schedule: readChoice(options, "schedule", TRAINING_CHOICES.schedule) ?? usual.schedule,
    warmup: number("warmup", "warmup"),
    steps: options.steps === undefined ? usual.steps : number("steps", "steps"),
    epochs: number("epochs", "epochs"),
    batchTokens: number("batch-tokens", "batchTokens"),
    sequenceTokens: number("sequence-tokens", "sequenceTokens"),
    holdout: number("holdout", "holdout"),
    evaluateEvery: number("evaluate-every", "evaluateEvery"),
    seed: number("seed", "seed"),
    dtype: readChoice(options, "dtype", DTYPES) ?? usual.dtype,
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
