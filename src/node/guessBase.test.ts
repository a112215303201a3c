import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import {
  areCompatible,
  chooseBase,
  compareSamples,
  findStrangers,
} from "../engine/merge/recipe/guessBase.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** Opens folders of the test data for as long as `use` takes. */
async function withModels<T>(
  paths: readonly string[],
  use: (models: readonly Checkpoint[]) => Promise<T>,
): Promise<T> {
  const opened = await Promise.all(paths.map((path) => openFiles(testDataPath(path))));
  try {
    const models = opened.map(({ files }, i) => openCheckpoint(files, paths[i]!));
    return await use(await Promise.all(models));
  } finally {
    await Promise.all(opened.map(({ close }) => close()));
  }
}

const SAMPLES = ["tales", "maths", "base", "drama"].map((name) => `samples/ember-${name}`);
const STORIES = ["-grimm", "-shakespeare", "", "-gsm8k"].map(
  (end) => `zoo/models/stories260K${end}`,
);

describe.skipIf(!hasTestData)("among real models", () => {
  test.each([
    ["the samples", SAMPLES, 2],
    ["fine-tunes of stories260K, one in bf16, one in shards", STORIES, 2],
    ["two of them", STORIES.slice(0, 3), 2],
  ])("the base of %s is found", async (_, paths, base) => {
    await withModels(paths, async (models) => {
      expect(areCompatible(models)).toBe(true);
      const found = await compareSamples(models);
      expect(chooseBase(models.length, found)).toBe(base);
      expect(findStrangers(models, found)).toEqual([]);
    });
  });

  test("two of one shape that were trained separately are warned about", async () => {
    const paths = ["zoo/models/babyllama-tok105", "zoo/models/babyllama-tok361"];
    await withModels(paths, async (models) => {
      expect(areCompatible(models)).toBe(true);
      const found = await compareSamples(models);
      expect(Math.abs(found[0]?.cosine ?? 1)).toBeLessThan(0.01);
      expect(findStrangers(models, found)).toHaveLength(1);
    });
  });

  test("models of different shapes are not compatible", async () => {
    await withModels(["zoo/models/stories260K", "zoo/models/aidreams260K"], async (models) => {
      expect(areCompatible(models)).toBe(false);
    });
  });
});
