import type { TrainingSettings } from "../../../../engine/contract/index.ts";
import type { Field } from "../fields.ts";

/** How a setting of the training is asked for. */
type TrainingField = Field<Exclude<keyof TrainingSettings, "mode" | "modules">> & {
  /** It is of a LoRA, and of no use where all weights are trained. */
  readonly lora?: true;
};

const BASIC = { kind: "number", advanced: false } as const;
const NUMBER = { kind: "number", advanced: true } as const;
const CHOICE = { kind: "choice", advanced: true } as const;
const SWITCH = { kind: "switch", advanced: true } as const;

/** The settings of a training in the order in which they matter. */
export const TRAINING_FIELDS: readonly TrainingField[] = [
  {
    ...BASIC,
    key: "steps",
    label: "Steps",
    min: 1,
    max: 1_000_000,
    step: 1,
    help: "Updates of each target.",
    empty: "as many as the epochs take",
  },
  {
    ...BASIC,
    key: "batchTokens",
    label: "Tokens a step",
    min: 1,
    max: 2 ** 24,
    step: 64,
    help: "Read between two updates.",
  },
  {
    ...BASIC,
    key: "learningRate",
    label: "Learning rate",
    min: 0,
    max: 1,
    step: 0.0001,
    help: "The largest one, after the warm-up.",
  },
  {
    ...BASIC,
    key: "lambda",
    label: "λ",
    min: 0,
    max: 1,
    step: 0.05,
    help: "The weight of the text itself; the rest is the fusion’s. 1 is plain fine-tuning.",
  },
  {
    ...CHOICE,
    key: "lambdaSchedule",
    label: "Course of λ",
    help: "Whether the fusion’s weight stays, fades out, or follows how sure the teachers are.",
    options: [
      ["hard", "Stays"],
      ["hard_and_decay", "Fades the fusion out"],
      ["soft", "As sure as the teachers"],
    ],
  },
  {
    ...CHOICE,
    key: "fusionLoss",
    label: "The fusion’s loss",
    help: "Both have the same gradient; they are told in different numbers.",
    options: [
      ["ce", "Cross-entropy"],
      ["kl", "Forward KL"],
    ],
  },
  {
    ...NUMBER,
    key: "epochs",
    label: "Epochs",
    min: 0.01,
    max: 1000,
    step: 0.5,
    help: "How often the texts are read, where no steps are given.",
  },
  {
    ...NUMBER,
    key: "sequenceTokens",
    label: "Longest sequence",
    min: 2,
    max: 2 ** 20,
    step: 16,
    help: "Tokens on the GPU at once; it decides how much memory is taken.",
  },
  {
    ...SWITCH,
    key: "packing",
    label: "Several texts in a sequence",
    help: "They do not see each other; short ones leave less room unused.",
  },
  {
    ...NUMBER,
    key: "rank",
    label: "Rank",
    min: 1,
    max: 1024,
    step: 1,
    lora: true,
    help: "Of the LoRA’s factors.",
  },
  {
    ...NUMBER,
    key: "alpha",
    label: "Alpha",
    min: 0.1,
    max: 1024,
    step: 1,
    lora: true,
    help: "Scales what the LoRA adds.",
  },
  {
    ...SWITCH,
    key: "rslora",
    label: "Scale by the root of the rank",
    lora: true,
    help: "Alpha / √rank instead of alpha / rank, so that large ranks learn as fast.",
  },
  {
    ...NUMBER,
    key: "dropout",
    label: "Dropout",
    min: 0,
    max: 0.9,
    step: 0.05,
    lora: true,
    help: "Part of the LoRA’s inputs that is left out at random.",
  },
  {
    ...CHOICE,
    key: "schedule",
    label: "Course of the learning rate",
    help: "What it does after the warm-up.",
    options: [
      ["cosine", "Cosine"],
      ["linear", "Linear"],
      ["constant", "Constant"],
    ],
  },
  {
    ...NUMBER,
    key: "warmup",
    label: "Warm-up",
    min: 0,
    max: 1,
    step: 0.01,
    help: "Part of the steps in which the rate rises.",
  },
  {
    ...NUMBER,
    key: "weightDecay",
    label: "Weight decay",
    min: 0,
    max: 10,
    step: 0.01,
    help: "AdamW’s, beside the gradient.",
  },
  {
    ...NUMBER,
    key: "clip",
    label: "Clip",
    min: 0,
    max: 1000,
    step: 0.1,
    help: "The longest gradient; 0 takes any.",
  },
  {
    ...NUMBER,
    key: "holdout",
    label: "Held out",
    min: 0,
    max: 0.9,
    step: 0.05,
    help: "Part of the texts that is not learned but read, to see whether learning helps.",
  },
  {
    ...NUMBER,
    key: "evaluateEvery",
    label: "Read held-out texts every",
    min: 0,
    max: 1e6,
    step: 1,
    help: "Steps; 0 reads them at the end alone.",
  },
  {
    ...NUMBER,
    key: "seed",
    label: "Seed",
    min: 0,
    max: 2 ** 32 - 1,
    step: 1,
    help: "Of the order, the first values and what is dropped.",
  },
  {
    ...CHOICE,
    key: "dtype",
    label: "Written as",
    help: "The number format of the targets and the merges.",
    options: [
      ["", "As the pivot"],
      ["F32", "F32"],
      ["F16", "F16"],
      ["BF16", "BF16"],
    ],
  },
];
