import { expect, test } from "vitest";
import type { Recipe } from "../engine/contract/index.ts";
import { folderInMemory } from "../engine/storage/testFolder.ts";
import { droppedFile, dropSample, openTestEngine, runJob } from "./engineTestParts.ts";

const NAMES = ["ember-base", "ember-tales", "ember-drama", "ember-maths"];
const VARM: Recipe = {
  method: "varm",
  base: "ember-base",
  models: NAMES.slice(1).map((model) => ({ model, parameters: {} })),
  parameters: {},
  outDtype: "bfloat16",
};

test("dropped folders are imported, merged with VaRM, mapped, exported, and come back the same", async () => {
  const root = folderInMemory("private", { sync: true });
  const storage = { getDirectory: async () => root.handle } as unknown as StorageManager;
  const engine = await openTestEngine(storage);
  const dropped = await Promise.all(NAMES.map(dropSample));
  const imported = await runJob(engine, { kind: "import", files: dropped.flat() });
  expect(imported).toMatchObject({ state: "done", failure: null });
  expect(imported.result?.models).toHaveLength(4);

  const request = { kind: "merge", recipe: VARM, name: "ember-varm", shardBytes: 5e9 } as const;
  const merged = await runJob(engine, request);
  expect(merged).toMatchObject({ state: "done", failure: null, title: "Merge ember-varm" });
  const model = merged.result?.models[0] as string;
  const { card, files } = await engine.openModel(model);
  expect(card).toMatchObject({
    name: "ember-varm",
    origin: "merge",
    state: "complete",
    parameters: 1_220_224,
    dtypes: ["BF16"],
    architecture: "LlamaForCausalLM",
    hasTokenizer: true,
  });

  const map = await engine.weightMap(VARM);
  expect(map.total).toBeGreaterThan(0);
  expect(map.measured).toBe(map.total);
  for (const { shares, merged: computed } of map.cells) {
    if (!computed || !shares) continue;
    // VaRM's shares are a mean of squares over their sum: three roundings to float64 and two sums.
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThanOrEqual(1e-12);
  }

  const exported = await runJob(engine, { kind: "export", model, folder: null });
  expect(exported).toMatchObject({ state: "done", failure: null });
  const { downloads } = exported.result as { downloads: readonly string[] };
  expect([...downloads].sort()).toEqual([...files.map(({ path }) => path), "SHA256SUMS"].sort());

  const again = downloads.map((path) => {
    const bytes = root.files()[`exports/${exported.id}/${path}`] as Uint8Array<ArrayBuffer>;
    return droppedFile(`back/${path}`, bytes);
  });
  const returned = await runJob(engine, { kind: "import", files: again });
  const back = returned.result?.models[0] as string;
  for (const { name } of (await engine.openModel(model)).tensors) {
    const { against } = await engine.inspectTensor({ model, tensor: name, against: back });
    expect(against).toMatchObject({ maxAbsDelta: 0 });
  }
  await engine.controlJob({ job: exported.id, do: "delete" });
  expect(root.files()).toEqual({});
});
