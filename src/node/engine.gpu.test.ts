import "fake-indexeddb/auto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DroppedFile, Engine, JobCard, JobRequest, Recipe } from "../engine/contract/index.ts";
import { createEngine } from "../engine/create.ts";
import { folderInMemory } from "../engine/storage/testFolder.ts";

const NAMES = ["ember-base", "ember-tales", "ember-drama", "ember-maths"];
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const VARM: Recipe = {
  method: "varm",
  base: "ember-base",
  models: NAMES.slice(1).map((model) => ({ model, parameters: {} })),
  parameters: {},
  outDtype: "bfloat16",
};

/** The samples as a person drops them: their folders, one after the other. */
async function dropSamples(): Promise<readonly DroppedFile[]> {
  const dropped = NAMES.flatMap((name) =>
    FILES.map(async (file) => {
      const bytes = await readFile(join("public", "samples", name, file));
      return { path: `${name}/${file}`, file: new Blob([new Uint8Array(bytes)]) as File };
    }),
  );
  return Promise.all(dropped);
}

async function run(engine: Engine, request: JobRequest): Promise<JobCard> {
  const { id } = await engine.startJob(request);
  for (;;) {
    const card = (await engine.listJobs()).find((each) => each.id === id) as JobCard;
    if (card.state !== "running") return card;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("dropped folders are imported, merged with VaRM, mapped, exported, and come back the same", async () => {
  const root = folderInMemory("private", { sync: true });
  const storage = { getDirectory: async () => root.handle } as unknown as StorageManager;
  const engine = await createEngine({
    ...{ gpu: navigator.gpu, baseUrl: "http://localhost/", locks: undefined, storage },
  });
  const imported = await run(engine, { kind: "import", files: await dropSamples() });
  expect(imported).toMatchObject({ state: "done", failure: null });
  expect(imported.result?.models).toHaveLength(4);

  const request = { kind: "merge", recipe: VARM, name: "ember-varm", shardBytes: 5e9 } as const;
  const merged = await run(engine, request);
  expect(merged).toMatchObject({ state: "done", failure: null, title: "Merge ember-varm" });
  const model = merged.result?.models[0] as string;
  const { card, files } = await engine.openModel(model);
  expect(card).toMatchObject({
    ...{ name: "ember-varm", origin: "merge", state: "complete", parameters: 1_220_224 },
    ...{ dtypes: ["BF16"], architecture: "LlamaForCausalLM", hasTokenizer: true },
  });

  const map = await engine.weightMap(VARM);
  expect(map.total).toBeGreaterThan(0);
  expect(map.measured).toBe(map.total);
  for (const { shares, merged: computed } of map.cells) {
    if (!computed || !shares) continue;
    // VaRM's shares are a mean of squares over their sum: three roundings to float64 and two sums.
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThanOrEqual(1e-12);
  }

  const exported = await run(engine, { kind: "export", model, folder: null });
  expect(exported).toMatchObject({ state: "done", failure: null });
  const { downloads } = exported.result as { downloads: readonly string[] };
  expect([...downloads].sort()).toEqual([...files.map(({ path }) => path), "SHA256SUMS"].sort());

  const again = downloads.map((path) => {
    const bytes = root.files()[`exports/${exported.id}/${path}`] as Uint8Array<ArrayBuffer>;
    return { path: `back/${path}`, file: new Blob([bytes]) as File };
  });
  const returned = await run(engine, { kind: "import", files: again });
  const back = returned.result?.models[0] as string;
  for (const { name } of (await engine.openModel(model)).tensors) {
    const { against } = await engine.inspectTensor({ model, tensor: name, against: back });
    expect(against).toMatchObject({ maxAbsDelta: 0 });
  }
  await engine.controlJob({ job: exported.id, do: "delete" });
  expect(root.files()).toEqual({});
});
