import {
  EngineError,
  type FusionProfile,
  TRAINED_MODULES,
  type TrainingSettings,
} from "../contract/index.ts";

/** Every matrix of a layer. */
const LAYERS = TRAINED_MODULES.filter((module) => module !== "embeddings" && module !== "head");

/** Small enough for a browser: a light LoRA over every matrix of the layers. */
const STUDIO: TrainingSettings = {
  mode: "lora",
  modules: LAYERS,
  rank: 8,
  alpha: 16,
  rslora: false,
  dropout: 0,
  lambda: 0.9,
  lambdaSchedule: "hard",
  fusionLoss: "ce",
  learningRate: 1e-4,
  schedule: "cosine",
  warmup: 0.03,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  clip: 1,
  steps: null,
  epochs: 1,
  batchTokens: 2048,
  sequenceTokens: 512,
  packing: true,
  seed: 42,
  holdout: 0.1,
  evaluateEvery: 0,
  dtype: null,
};

/** 128 sequences of 2,048 tokens between two updates. */
const PUBLISHED = { batchTokens: 128 * 2048, sequenceTokens: 2048, holdout: 0 } as const;

/** FuseChat trains every weight; its LoRA script has what stands here for `mode: lora`. */
const FUSECHAT: TrainingSettings = {
  ...STUDIO,
  ...PUBLISHED,
  mode: "full",
  packing: false,
  epochs: 3,
  learningRate: 5e-6,
  warmup: 0.03,
  modules: ["q", "v"],
  rank: 8,
  alpha: 16,
  dropout: 0.05,
};

/**
 * What each profile sets, as the references' launch scripts do: FuseLLM (arXiv 2401.10491), whose
 * QLoRA trains every linear layer, and FuseChat (arXiv 2402.16107, 2408.07990).
 */
export const TRAINING_PROFILES: Readonly<Record<FusionProfile, TrainingSettings>> = {
  studio: STUDIO,
  fusellm: {
    ...STUDIO,
    ...PUBLISHED,
    mode: "full",
    learningRate: 1e-5,
    warmup: 0.008,
    beta2: 0.95,
    weightDecay: 0.1,
    rank: 64,
    alpha: 16,
  },
  "fusechat-v1": FUSECHAT,
  "fusechat-v2": FUSECHAT,
};

/** The words that some settings take. */
export const TRAINING_CHOICES = {
  mode: ["lora", "full"],
  schedule: ["cosine", "linear", "constant"],
  lambdaSchedule: ["hard", "hard_and_decay", "soft"],
  fusionLoss: ["ce", "kl"],
  dtype: [null, "F32", "F16", "BF16"],
} as const satisfies { readonly [K in keyof TrainingSettings]?: readonly TrainingSettings[K][] };

/** Where a number makes sense, ends included. */
interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

/** The numbers among the settings. */
export const TRAINING_RANGES = {
  rank: { min: 1, max: 1024, whole: true },
  alpha: { min: 1e-6, max: 1e6 },
  dropout: { min: 0, max: 0.99 },
  lambda: { min: 0, max: 1 },
  learningRate: { min: 0, max: 10 },
  warmup: { min: 0, max: 1 },
  beta1: { min: 0, max: 0.999999 },
  beta2: { min: 0, max: 0.999999 },
  epsilon: { min: 1e-12, max: 1 },
  weightDecay: { min: 0, max: 10 },
  clip: { min: 0, max: 1e6 },
  epochs: { min: 0, max: 1e6 },
  steps: { min: 1, max: 2 ** 31, whole: true },
  batchTokens: { min: 1, max: 2 ** 24, whole: true },
  sequenceTokens: { min: 2, max: 2 ** 20, whole: true },
  seed: { min: 0, max: 2 ** 32 - 1, whole: true },
  holdout: { min: 0, max: 0.9 },
  evaluateEvery: { min: 0, max: 2 ** 31, whole: true },
} as const satisfies Readonly<Partial<Record<keyof TrainingSettings, Range>>>;

/** Throws `usage` where a setting has a value that makes no sense, with the range that does. */
export function checkTrainingSettings(settings: TrainingSettings): void {
  for (const [name, choices] of Object.entries<readonly unknown[]>(TRAINING_CHOICES)) {
    const value = settings[name as keyof typeof TRAINING_CHOICES];
    if (choices.includes(value)) continue;
    throw new EngineError(
      "usage",
      `The training's ${name} is ${value}; it must be one of ${choices.join(", ")}.`,
      { setting: name, value: String(value) },
    );
  }
  if (settings.mode === "lora" && settings.modules.length === 0) {
    const message = `A LoRA trains at least one of ${TRAINED_MODULES.join(", ")}; none is chosen.`;
    throw new EngineError("usage", message, { setting: "modules", value: "" });
  }
  for (const [name, { min, max, whole = false }] of Object.entries<Range>(TRAINING_RANGES)) {
    const value = settings[name as keyof typeof TRAINING_RANGES];
    if (name === "steps" && value === null) continue;
    const fine = typeof value === "number" && value >= min && value <= max;
    if (fine && (!whole || Number.isInteger(value))) continue;
    throw new EngineError(
      "usage",
      `The training's ${name} is ${value}; it must be a ${whole ? "whole " : ""}number from ${min} to ${max}.`,
      { setting: name, value: String(value) },
    );
  }
}
