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
  ...{ mode: "lora", modules: LAYERS, rank: 8, alpha: 16, rslora: false, dropout: 0 },
  ...{ lambda: 0.9, lambdaSchedule: "hard", fusionLoss: "ce" },
  ...{ learningRate: 1e-4, schedule: "cosine", warmup: 0.03 },
  ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clip: 1 },
  ...{ steps: null, epochs: 1, batchTokens: 2048, sequenceTokens: 512, packing: true },
  ...{ seed: 42, holdout: 0.1, evaluateEvery: 0, dtype: null },
};

/** 128 sequences of 2,048 tokens between two updates. */
const PUBLISHED = { batchTokens: 128 * 2048, sequenceTokens: 2048, holdout: 0 } as const;

/** FuseChat trains every weight; its LoRA script has what stands here for `mode: lora`. */
const FUSECHAT: TrainingSettings = {
  ...{ ...STUDIO, ...PUBLISHED, mode: "full", packing: false, epochs: 3 },
  ...{ learningRate: 5e-6, warmup: 0.03 },
  ...{ modules: ["q", "v"], rank: 8, alpha: 16, dropout: 0.05 },
};

/**
 * What each profile sets, as the references' launch scripts do: FuseLLM (arXiv 2401.10491), whose
 * QLoRA trains every linear layer, and FuseChat (arXiv 2402.16107, 2408.07990).
 */
export const TRAINING_PROFILES: Readonly<Record<FusionProfile, TrainingSettings>> = {
  studio: STUDIO,
  fusellm: {
    ...{ ...STUDIO, ...PUBLISHED, mode: "full" },
    ...{ learningRate: 1e-5, warmup: 0.008, beta2: 0.95, weightDecay: 0.1 },
    ...{ rank: 64, alpha: 16 },
  },
  "fusechat-v1": FUSECHAT,
  "fusechat-v2": FUSECHAT,
};

/** A number's allowed range, ends included. */
type Range = readonly [low: number, high: number];

const RANGES: Readonly<Partial<Record<keyof TrainingSettings, Range>>> = {
  ...{ lambda: [0, 1], learningRate: [0, 10], warmup: [0, 1], clip: [0, 1e6] },
  ...{ beta1: [0, 0.999999], beta2: [0, 0.999999], epsilon: [1e-12, 1], weightDecay: [0, 10] },
  ...{ epochs: [0, 1e6], holdout: [0, 0.9], dropout: [0, 0.99], alpha: [1e-6, 1e6] },
};
const WHOLE: Readonly<Partial<Record<keyof TrainingSettings, Range>>> = {
  ...{ rank: [1, 1024], batchTokens: [1, 2 ** 24], sequenceTokens: [2, 2 ** 20] },
  ...{ seed: [0, 2 ** 32 - 1], evaluateEvery: [0, 2 ** 31] },
};

/** Throws `usage` where a setting has a value that makes no sense, with the range that does. */
export function checkTrainingSettings(settings: TrainingSettings): void {
  const check = (name: string, value: unknown, [low, high]: Range, whole: boolean) => {
    const fine =
      typeof value === "number" &&
      value >= low &&
      value <= high &&
      (!whole || Number.isInteger(value));
    if (fine) return;
    throw new EngineError(
      "usage",
      `The training's ${name} is ${value}; it must be a ${whole ? "whole " : ""}number from ${low} to ${high}.`,
      { setting: name, value: String(value) },
    );
  };
  for (const [ranges, whole] of [
    [RANGES, false],
    [WHOLE, true],
  ] as const) {
    for (const [name, range] of Object.entries(ranges)) {
      check(name, settings[name as keyof TrainingSettings], range, whole);
    }
  }
  if (settings.steps !== null) check("steps", settings.steps, [1, 2 ** 31], true);
}
