import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { placeTensor } from "../engine/checkpoint/place.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** Folders of `parts` in the test data that have a config.json. */
function foldersIn(...parts: readonly string[]): readonly string[] {
  if (!hasTestData) return [];
  const folder = testDataPath(...parts);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => [...parts, entry.name].join("/"))
    .filter((path) => readdirSync(testDataPath(path)).includes("config.json"));
}

async function open(path: string) {
  const { files, close } = await openFiles(testDataPath(path));
  try {
    return await openCheckpoint(files, basename(path));
  } finally {
    await close();
  }
}

const MODELS = [
  ...foldersIn("zoo", "models"),
  ...foldersIn("zoo", "models", "variants"),
  ...foldersIn("samples"),
];

describe.skipIf(!hasTestData)("real checkpoints", () => {
  test.each(MODELS)("%s opens, and no two of its tensors share a cell", async (path) => {
    const { config, tensors } = await open(path);
    expect(config?.architecture).toMatch(/ForCausalLM$|LMHeadModel$/);
    const names = [...tensors.keys()];
    const places = names.map(placeTensor);
    expect(new Set(places.map(({ layer, column }) => `${layer} ${column}`)).size).toBe(
      names.length,
    );
    const layers = new Set(places.flatMap(({ layer }) => (layer === null ? [] : [layer])));
    expect(layers.size).toBe(config?.layers);
  });

  test("all of them are here", () => {
    expect(MODELS.length).toBeGreaterThanOrEqual(18);
  });

  test("the sharded one has every tensor of the one it was tuned from", async () => {
    const [base, tuned] = await Promise.all(
      ["stories260K", "stories260K-grimm"].map((name) => open(`zoo/models/${name}`)),
    );
    expect([...tuned!.tensors.keys()].sort()).toEqual([...base!.tensors.keys()].sort());
    expect(new Set([...tuned!.tensors.values()].map(({ file }) => file)).size).toBe(3);
  });

  test("a single file opens as a checkpoint without a config", async () => {
    const { config, tensors, notes } = await open("zoo/models/stories260K-gsm8k/model.safetensors");
    expect(config).toBeNull();
    expect(tensors.size).toBeGreaterThan(40);
    expect(notes.join(" ")).toContain("no config.json");
  });
});

describe.skipIf(!hasTestData)("folders as they come from a clone without Git-LFS", () => {
  test.each([
    ["llama2-7b-chat", "lfs-pointer", "git lfs pull"],
    ["llama3-modelstock", "lfs-pointer", "git lfs pull"],
    ["phi3-slerp", "lfs-pointer", "git lfs pull"],
    ["yi15-slerp", "lfs-pointer", "git lfs pull"],
    ["devstral-small", "missing-file", "10 are missing"],
    ["granite-3b-code", "missing-file", "2 are missing"],
    ["qwen25-14b-cogito", "missing-file", "6 are missing"],
  ])("%s is refused as %s and says what to do", async (folder, code, says) => {
    await expect(open(`zoo/fixtures/hub_layouts/${folder}`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });
});
