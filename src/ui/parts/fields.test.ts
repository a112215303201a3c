import { describe, expect, test } from "vitest";
import {
  FUSION_DEFAULTS,
  FUSION_SETTINGS,
  TRAINING_DEFAULTS,
  TRAINING_SETTINGS,
} from "../../engine/contract/index.ts";
import { changedRules, formFields, isSameValue, sayValue } from "./fields.ts";

const { studio, fusellm } = TRAINING_DEFAULTS;
const keysOf = (fields: readonly { readonly key: string }[]) => fields.map(({ key }) => key);

describe("a form", () => {
  test("asks for every setting of its table but for the one apart", () => {
    const asked = keysOf(formFields(TRAINING_SETTINGS, studio, "mode"));
    expect(asked).toEqual(Object.keys(TRAINING_SETTINGS).filter((key) => key !== "mode"));
  });

  test("leaves out what is of no use beside the others", () => {
    const asked = keysOf(formFields(TRAINING_SETTINGS, fusellm, "mode"));
    expect(asked).not.toContain("rank");
    expect(asked).toContain("learningRate");
  });

  test("tells which rules are not the profile's", () => {
    const changed = { ...FUSION_DEFAULTS.studio, topK: 20, bf16: true };
    expect(keysOf(changedRules(changed, FUSION_DEFAULTS.studio))).toEqual(["topK", "bf16"]);
  });
});

test("values are said as the form shows them", () => {
  const { steps, dtype, schedule, packing, modules } = TRAINING_SETTINGS;
  expect(sayValue(steps, null)).toBe("as many as the epochs take");
  expect(sayValue(steps, 24)).toBe("24");
  expect(sayValue(dtype, null)).toBe("As the pivot");
  expect(sayValue(dtype, "BF16")).toBe("BF16");
  expect(sayValue(schedule, "linear")).toBe("Linear");
  expect(sayValue(packing, false)).toBe("off");
  expect(sayValue(modules, ["q", "v"])).toBe("q, v");
  expect(sayValue(FUSION_SETTINGS.level, "token")).toBe("per token");
});

test("a list is the same in any order", () => {
  expect(isSameValue(["q", "v"], ["v", "q"])).toBe(true);
  expect(isSameValue(["q"], ["v", "q"])).toBe(false);
  expect(isSameValue(1, 1)).toBe(true);
});
