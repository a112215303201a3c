import { expect, test } from "vitest";
import { sayValue } from "../fields.ts";
import { TRAINING_FIELDS } from "./trainingFields.ts";

const field = (key: string) => {
  const found = TRAINING_FIELDS.find((each) => each.key === key);
  if (!found) throw new Error(`there is no field ${key}`);
  return found;
};

test("every setting is asked for once, by a label of its own", () => {
  expect(new Set(TRAINING_FIELDS.map(({ key }) => key)).size).toBe(TRAINING_FIELDS.length);
  expect(new Set(TRAINING_FIELDS.map(({ label }) => label)).size).toBe(TRAINING_FIELDS.length);
});

test("values are said as the form shows them", () => {
  expect(sayValue(field("steps"), null)).toBe("as many as the epochs take");
  expect(sayValue(field("steps"), 24)).toBe("24");
  expect(sayValue(field("dtype"), null)).toBe("As the pivot");
  expect(sayValue(field("dtype"), "BF16")).toBe("BF16");
  expect(sayValue(field("schedule"), "linear")).toBe("Linear");
  expect(sayValue(field("packing"), false)).toBe("off");
});
