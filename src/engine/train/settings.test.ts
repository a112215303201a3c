import { expect, test } from "vitest";
import { TRAINING_DEFAULTS } from "../contract/index.ts";
import { checkTrainingSettings } from "./settings.ts";

test("the profiles are those of the launch scripts", () => {
  const { studio, fusellm } = TRAINING_DEFAULTS;
  const v1 = TRAINING_DEFAULTS["fusechat-v1"];
  expect([fusellm.learningRate, fusellm.warmup, fusellm.beta2, fusellm.weightDecay]).toEqual([
    1e-5, 0.008, 0.95, 0.1,
  ]);
  expect([fusellm.epochs, fusellm.packing, fusellm.rank, fusellm.modules.length]).toEqual([
    1,
    true,
    64,
    7,
  ]);
  expect([v1.learningRate, v1.warmup, v1.beta2, v1.weightDecay, v1.epochs]).toEqual([
    5e-6, 0.03, 0.999, 0, 3,
  ]);
  expect([v1.packing, v1.mode, v1.rank, v1.alpha, v1.dropout, v1.modules]).toEqual([
    false,
    "full",
    8,
    16,
    0.05,
    ["q", "v"],
  ]);
  for (const { lambda, clip, schedule, batchTokens } of [fusellm, v1]) {
    expect([lambda, clip, schedule, batchTokens]).toEqual([0.9, 1, "cosine", 128 * 2048]);
  }
  expect([studio.mode, studio.learningRate, studio.lambda]).toEqual(["lora", 1e-4, 0.9]);
});

test.each(Object.entries(TRAINING_DEFAULTS))("%s can be run", (_, settings) => {
  expect(() => checkTrainingSettings(settings)).not.toThrow();
});

test.each([
  ["lambda", 1.5],
  ["learningRate", Number.NaN],
  ["rank", 2.5],
  ["steps", 0],
  ["sequenceTokens", 1],
  ["schedule", "sine"],
])("refuses %s of %s", (name, value) => {
  const settings = { ...TRAINING_DEFAULTS.studio, [name]: value };
  expect(() => checkTrainingSettings(settings)).toThrow(new RegExp(`${name} is ${value}`));
});

test("refuses a LoRA of nothing", () => {
  const settings = { ...TRAINING_DEFAULTS.studio, modules: [] };
  expect(() => checkTrainingSettings(settings)).toThrow("at least one of q, k, v");
});
