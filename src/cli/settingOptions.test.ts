import { describe, expect, test } from "vitest";
import {
  FUSION_DEFAULTS,
  FUSION_SETTINGS,
  TRAINING_DEFAULTS,
  TRAINING_SETTINGS,
} from "../engine/contract/index.ts";
import { optionOf, readSettings, settingOptions } from "./settingOptions.ts";

describe("the options of a table", () => {
  test("are one a setting, and say kind, range and default", () => {
    const options = { ...settingOptions(FUSION_SETTINGS), ...settingOptions(TRAINING_SETTINGS) };
    const count = Object.keys(FUSION_SETTINGS).length + Object.keys(TRAINING_SETTINGS).length;
    expect(Object.keys(options)).toHaveLength(count);
    expect(options["top-k"]?.help).toMatch(/ From 1 to 64 tokens; usually 10\.$/);
    expect(options.steps?.help).toMatch(/; usually as many as the epochs take\.$/);
    expect(options.packing).toMatchObject({ value: "on|off" });
    expect(options["bad-rows"]?.help).toMatch(/ skip, refuse; usually skip\.$/);
    expect(options["learning-rate"]?.help).toMatch(
      /; 0\.0001 unless the profile says otherwise\.$/,
    );
  });

  test("keep the names that they had before there was a table", () => {
    expect(optionOf("fusionLoss", TRAINING_SETTINGS.fusionLoss)).toBe("loss");
    expect(optionOf("lambdaSchedule", TRAINING_SETTINGS.lambdaSchedule)).toBe("lambda-schedule");
  });
});

test("what is given changes the profile's settings, and nothing else does", () => {
  const usual = TRAINING_DEFAULTS.studio;
  expect(readSettings(TRAINING_SETTINGS, { adapter: "x" }, usual)).toEqual(usual);
  const options = {
    rank: "4",
    "learning-rate": "2e-4",
    packing: "off",
    modules: "q, head",
    loss: "kl",
    steps: "7",
    dtype: "BF16",
  };
  expect(readSettings(TRAINING_SETTINGS, options, usual)).toEqual({
    ...usual,
    rank: 4,
    learningRate: 2e-4,
    packing: false,
    modules: ["q", "head"],
    fusionLoss: "kl",
    steps: 7,
    dtype: "BF16",
  });
});

test.each([
  ["top-k", "0", "a whole number from 1 to 64"],
  ["top-k", "1.5", "a whole number"],
  ["top-k", "", "a whole number"],
  ["temperature", "0", "a number from 0.001 to 1000"],
  ["fusion", "maxce", "one of mince, avgce"],
  ["fusion", "constructor", "one of mince, avgce"],
  ["bf16", "true", "on or off"],
  ["text-column", "", "a name of at most 200 characters"],
])("--%s %s is refused with what it must be", (option, text, range) => {
  const read = () => readSettings(FUSION_SETTINGS, { [option]: text }, FUSION_DEFAULTS.studio);
  expect(read).toThrow(
    expect.objectContaining({
      code: "usage",
      details: { option },
      message: expect.stringContaining(`--${option} is "${text}"; it must be ${range}`),
    }),
  );
});
