import { expect, test } from "vitest";
import { sayTraining, TRAINING_FIELDS } from "./trainingFields.ts";

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
  expect(sayTraining(field("steps"), null)).toBe("as many as the epochs take");
  expect(sayTraining(field("steps"), 24)).toBe("24");
  expect(sayTraining(field("dtype"), null)).toBe("As the pivot");
  expect(sayTraining(field("dtype"), "BF16")).toBe("BF16");
  expect(sayTraining(field("schedule"), "linear")).toBe("Linear");
  expect(sayTraining(field("packing"), false)).toBe("off");
});
