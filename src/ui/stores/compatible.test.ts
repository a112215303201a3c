import { expect, test } from "vitest";
import type { ModelCard } from "../../engine/contract/index.ts";
import { findCompatible, sharedStem, shortNames, suggestName } from "./compatible.ts";

const card = (name: string, changes: Partial<ModelCard> = {}): ModelCard => ({
  id: name,
  name,
  state: "complete",
  origin: "import",
  createdAt: 0,
  architecture: "LlamaForCausalLM",
  parameters: 1_000_000,
  layers: 6,
  vocabSize: 1024,
  dtypes: ["BF16"],
  tensorCount: 56,
  byteLength: 2_000_000,
  storedBytes: 2_000_000,
  hasTokenizer: true,
  ...changes,
});

test("a half import and another architecture are left out of a merge", () => {
  const found = findCompatible([
    card("a"),
    card("b"),
    card("half", { state: "partial" }),
    card("other", { architecture: "Qwen3ForCausalLM" }),
    card("deeper", { layers: 12 }),
  ]);
  expect(found.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("one model alone is nothing to merge", () => {
  expect(findCompatible([card("a"), card("b", { layers: 2 })])).toEqual([]);
});

test("a suggested name is free", () => {
  expect(suggestName("m", ["m", "m-2"])).toBe("m-3");
  expect(suggestName("m", [])).toBe("m");
});

test("names shed the stem that they share, at a word's edge", () => {
  expect(sharedStem(["ember-base", "ember-tales"])).toBe("ember");
  expect(shortNames(["ember-tales", "ember-drama", "ember-maths"])).toEqual([
    "tales",
    "drama",
    "maths",
  ]);
  expect(shortNames(["Llama-3", "Qwen-3"])).toEqual(["Llama-3", "Qwen-3"]);
  expect(shortNames(["mistral", "mist"])).toEqual(["mistral", "mist"]);
});
