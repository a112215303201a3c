import { expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { checkMixture } from "./checkMixture.ts";
import { isMixture, parseMixture } from "./parseMixture.ts";

const EXPERTS = `
experts:
  - source_model: tales
    positive_prompts: ["once", "upon"]
    negative_prompts: [sum]
    noise_scale: 0.1
  - source_model: {model: {path: maths}}
    positive_prompts:
      - 12
    residual_scale: 0.5
`;

test("a config is read as mergekit-moe reads it", () => {
  const yaml = `base_model: ember\ngate_mode: hidden_avg\ndtype: torch.bfloat16\nexperts_per_token: 1\nseed: 3${EXPERTS}`;
  expect(parseMixture(yaml)).toEqual({
    notes: [],
    config: {
      base: "ember",
      gateMode: "hidden_avg",
      dtype: "bfloat16",
      expertsPerToken: 1,
      seed: 3,
      sharedExperts: [],
      experts: [
        {
          model: "tales",
          positivePrompts: ["once", "upon"],
          negativePrompts: ["sum"],
          noiseScale: 0.1,
        },
        { model: "maths", positivePrompts: ["12"], negativePrompts: [], residualScale: 0.5 },
      ],
    },
  });
});

test("what is left out has mergekit's defaults, and keys that it ignores are told", () => {
  const { config, notes } = parseMixture(`base_model: ember\ngate_model: x${EXPERTS}`);
  expect(config).toMatchObject({ gateMode: "hidden", expertsPerToken: 2, seed: 0 });
  expect(config).not.toHaveProperty("dtype");
  expect(notes).toEqual([
    expect.stringMatching(/^Line 2: .*"gate_model".*Did you mean "gate_mode"/),
  ]);
});

function refusal(work: () => unknown): EngineError {
  try {
    work();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test.each([
  ["experts: []", `no "base_model"`],
  ["base_model: a", `no "experts"`],
  ["base_model: a\nexperts: {b: c}", `"experts" must be a list`],
  ["base_model: a\nexperts: [{positive_prompts: [x]}]", `no "source_model"`],
  ["base_model: a\nexperts: [{source_model: b, positive_prompts: x}]", "a list of texts"],
  [
    "base_model: a\nexperts: [{source_model: b, noise_scale: much}]",
    `"noise_scale" must be a number`,
  ],
  ["base_model: a\nexperts: []\ngate_mode: hiden", "must be one of hidden"],
  ["base_model: a\nexperts: []\nexperts_per_token: 0", "from 1 to"],
  ["base_model: a\nexperts: []\nexperts_per_token: 1.5", "a whole number"],
  ["base_model: a\nexperts: []\ndtype: int8", "must be one of float32"],
  ["[1, 2]", "starts with"],
])("refuses %j with its place", (yaml, says) => {
  const { code, message } = refusal(() => parseMixture(yaml));
  expect(code).toBe("bad-recipe");
  expect(message).toMatch(/^Line \d+, column \d+: /);
  expect(message).toContain(says);
});

const expert = (model: string, ...prompts: readonly string[]) => ({
  model,
  positivePrompts: prompts,
  negativePrompts: [],
});
const CONFIG = { ...parseMixture(`base_model: ember${EXPERTS}`).config };

test.each([
  [{ expertsPerToken: 3 }, "there are 2"],
  [{ experts: [expert("a", "x"), expert("b")] }, `expert 1 ("b") has no "positive_prompts"`],
  [{ experts: [expert("a", "x"), expert("b", "x")] }, "same prompts"],
  [{ experts: [expert("a", "x"), expert("a", "y")] }, `are "a"`],
  [{ gateMode: "uniform_random" as const, experts: [expert("a"), expert("b")] }, "has no"],
  [{ sharedExperts: [expert("a", "x"), expert("b")] }, "all shared experts"],
])("refuses %j as mergekit does", (change, says) => {
  const { code, message } = refusal(() => checkMixture({ ...CONFIG, ...change }, false));
  expect({ code, message }).toEqual({ code: "bad-recipe", message: expect.stringContaining(says) });
});

test("random gates need no prompts, and one model may be every expert where that is allowed", () => {
  checkMixture({ ...CONFIG, gateMode: "random", experts: [expert("a"), expert("b")] }, false);
  checkMixture({ ...CONFIG, experts: [expert("a", "x"), expert("a", "y")] }, true);
});

test.each([
  ["base_model: a\nexperts: []", true],
  ["merge_method: linear\nmodels: []", false],
  ["merge_method: linear\nexperts: []", false],
  ["experts: [", false],
  ["just words", false],
])("%j is a mixture: %s", (yaml, is) => {
  expect(isMixture(yaml)).toBe(is);
});
